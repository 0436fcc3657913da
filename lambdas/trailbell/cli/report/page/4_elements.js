// Elements are made here and nowhere else; text goes in as text, so nothing in a record can become markup.
function make(tag, members = {}, ...children) {
  const element = tag.startsWith("svg:") ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(members)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}
function at(id) { return document.getElementById(id); }

// A line that is cut in its middle where it is too long, never at its end, which is what mostly tells names apart. Both
// halves are drawn by the style; the text itself is there once and whole, for whom points at it, searches, copies it or
// has it read aloud. On paper nothing is cut, and so short that it
// fits everywhere, as an account's id, nowhere.
const TAIL = 14, FITS = 12;
function middle(text, kind = "") {
  if (whole || text.length <= FITS) return make("span", { class: kind }, text);
  const tail = Math.min(TAIL, Math.floor(text.length / 2));
  return make("span", { class: `mid ${kind}`, title: text, "data-head": text.slice(0, text.length - tail), "data-tail": text.slice(text.length - tail) },
    make("span", { class: "whole" }, text));
}
// The same for what may take several lines: of a text that is very long, both ends.
const LONGEST = 140;
function bounded(text) {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST / 2)}…${text.slice(-LONGEST / 2)}`;
}

// What is drawn anew is other elements: the keyboard stays on the one with the same key, or goes where it is told.
function keepFocus(drawing, otherwise = () => null) {
  const key = document.activeElement?.dataset.key;
  drawing();
  if (key) (keyed(key) ?? otherwise())?.focus({ preventScroll: true });
}
function keyed(key) { return document.querySelector(`[data-key="${CSS.escape(key)}"]`); }
