// What is too long for its place is cut in its middle, never at its end, which is what mostly tells names apart: after a
// separator or at a capital letter where one is near, so that no half of a word stands beside the ellipsis. How wide a text is, is measured
// without laying out the page, and once.
const pen = document.createElement("canvas").getContext("2d");
const widths = new Map(), cuts = new Map();
let penFont = "";
const TAIL = 14, NEAR = 8, SHORTEST = 4, HALF = 12;
const SEPARATOR = /[\s\-/:._·,;]/;

function measured(text, font) {
  if (penFont !== font) pen.font = penFont = font;
  return pen.measureText(text).width;
}
function remembered(memory, font, text, find) {
  const known = memory.get(font) ?? memory.set(font, new Map()).get(font);
  return known.get(text) ?? known.set(text, find()).get(text);
}
function widthOf(text, font) { return remembered(widths, font, text, () => measured(text, font)); }

// A text as it fits into some pixels: whole, or both ends of it.
function cutTo(text, room, font) {
  if (widthOf(text, font) <= room) return text;
  return remembered(cuts, `${Math.floor(room)} ${font}`, text, () => bothEnds(text, Math.floor(room), font));
}
// Of all beginnings and ends that fit together those that show most, where half a word is worth less than a whole one.
function bothEnds(text, room, font) {
  let best = "", most = 0;
  for (const [start, tidy] of endings(text)) {
    const tail = text.slice(start).replace(/^[\s·]+/, "");
    const length = longest(start, (length) => measured(`${text.slice(0, length)}…${tail}`, font) <= room);
    if (!length) continue;
    const end = lastBoundary(text, length), head = text.slice(0, end || unsplit(text, length)).replace(/[\s·]+$/, "");
    const worth = head.length + tail.length - (end ? 0 : HALF) - (tidy ? 0 : HALF);
    if (!best || worth > most) [best, most] = [`${head}…${tail}`, worth];
  }
  return best || `…${text.slice(text.length - longest(text.length, (length) => measured(`…${text.slice(-length)}`, font) <= room))}`;
}
// The largest number up to `most` that fits, where all smaller ones fit, too.
function longest(most, fits) {
  let low = 0, high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
// Where an end may begin: behind the separators around its usual length, else there itself.
function endings(text) {
  const usual = text.length - Math.min(TAIL, Math.floor(text.length / 2)), found = [];
  for (let at = Math.max(usual - NEAR, 1); at <= Math.min(usual + NEAR, text.length - SHORTEST); at += 1) if (isBoundary(text, at)) found.push([at, true]);
  return [...found, [unsplit(text, usual), false]];
}
function lastBoundary(text, length) {
  for (let at = length; at > Math.max(length - 2 * NEAR, SHORTEST - 1); at -= 1) if (isBoundary(text, at) || text[at] === " ") return at;
  return 0;
}
function isBoundary(text, at) { return SEPARATOR.test(text[at - 1]) || (/[a-z\d]/.test(text[at - 1]) && /[A-Z]/.test(text[at] ?? "")); }
// Not between the two halves of one character.
function unsplit(text, at) { return /[\udc00-\udfff]/.test(text[at] ?? "") ? at - 1 : at; }

// On a card a text takes several lines before it is cut: how many, and what stands in them. Lines end between words, so
// they hold less than their width.
const FULL = 0.85;
function linesFor(text, room, font, most) {
  const width = widthOf(text, font);
  return !text ? 0 : width <= room ? 1 : Math.min(Math.ceil(width / (room * FULL)), most);
}
function cutToLines(text, room, font, lines) { return cutTo(text, lines > 1 ? room * FULL * lines : room, font); }

// What is cut is drawn by the style; the text itself is there once and whole, for whom points at it, searches, copies it
// or has it read aloud.
function cutText(text, shortened, kind = "") {
  if (shortened === text) return kind ? make("span", { class: kind }, text) : text;
  return make("span", { class: `mid ${kind}`, title: text, "data-cut": shortened }, make("span", { class: "whole" }, text));
}
