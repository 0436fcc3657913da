// The table of hits: only the rows in sight exist, so ten thousand scroll like ten. All have one height, which the style
// says, and cards as much more as they have lines; the page scrolls them on a phone, a box of their own on wide screens.
const SPARE = 8, PRINTED = 2000, SHEETS = 50, LINE = 20;
let shown = [], current = 0, forPaper = false, painted = null, tall = 0;
// Of cards where each begins, and the last ends; null where all have one height.
let tops = null;

function drawHeads() {
  const order = asked.down ? "descending" : "ascending", arrow = asked.down ? " ↓" : " ↑";
  at("heads").replaceChildren(...HEADS.map(([part, sorts]) => make("th", {
    role: "columnheader", scope: "col", "data-part": part, "data-title": sorts.map(([, title]) => title).join(", "), "aria-sort": sorts.some(([key]) => key === asked.sort) ? order : "none",
  }, ...sorts.map(([key, title]) => make("button", { type: "button", "data-sort": key, "data-key": `sort ${key}`, "aria-pressed": String(asked.sort === key), onclick: () => sortBy(key) },
    title, make("i", { "aria-hidden": "true" }, asked.sort === key ? arrow : ""))))));
  at("sort").replaceChildren(...SORTS.map(([key, title]) => make("option", { value: key, selected: key === asked.sort }, title)));
  at("turn").textContent = asked.down ? "↓" : "↑";
  at("turn").setAttribute("aria-label", `Order: ${order}`);
}
function sortBy(key) {
  asked.down = asked.sort === key ? !asked.down : key === "moment" || key === "level"; // by state: the next deadline first
  asked.sort = key;
  keepFocus(() => { drawHeads(); drawHits(); });
}

function drawHits() {
  list(sorted(passing()));
  current = 0;
  if (scrolled() > 0) scrollRows(0);
  painted = null;
  paint();
}
function list(hits) {
  shown = hits;
  at("scroll").classList.toggle("short", shown.length <= 12);
  at("count").textContent = shown.length === page.hits.length ? plural(shown.length, "hit")
    : `${number.format(shown.length)} of ${plural(page.hits.length, "hit")}`;
  at("unprinted").textContent = `In order of ${new Map(SORTS).get(asked.sort)}, ${asked.down ? "descending" : "ascending"}. ${leftOut()}`;
  at("empty").hidden = shown.length > 0;
  at("table").classList.toggle("named", [...page.names.accounts.values()].some((one) => one.detail));
  at("table").setAttribute("aria-rowcount", shown.length + 1);
}
function leftOut() {
  return shown.length <= PRINTED ? `On paper: all ${plural(shown.length, "hit")}.` : `On paper are the first ${number.format(PRINTED)} of ${plural(shown.length, "hit")} in this order; `
    + `${number.format(shown.length - PRINTED)} are not. Filter the file before printing, or take them as CSV (trailbell hits or scan, --format csv).`;
}

// How far the rows are scrolled, in whichever scrolls.
function ownBox() { return getComputedStyle(at("scroll")).overflowY !== "visible"; }
function scrolled() { return ownBox() ? at("scroll").scrollTop : Math.max(-at("rows").getBoundingClientRect().top, 0); }
function scrollRows(to) {
  if (ownBox()) at("scroll").scrollTop = to;
  else scrollBy(0, to + at("rows").getBoundingClientRect().top);
}
function inSight() { return ownBox() ? at("scroll").clientHeight - at("heads").offsetHeight : innerHeight; }

function topOf(index) { return tops ? tops[Math.min(index, shown.length)] : index * tall; }
function indexAt(y) { return tops ? longest(shown.length, (index) => tops[index] <= y) : Math.floor(y / tall); }
// What rows and cells have room for, and where each row begins; anew for other hits, and for another width.
function layRows() {
  takeSpace();
  tall = parseFloat(getComputedStyle(at("scroll")).getPropertyValue("--row"));
  tops = null;
  if (!space.cards) return;
  tops = new Float64Array(shown.length + 1);
  shown.forEach((hit, index) => { tops[index + 1] = tops[index] + tall + LINE * cardLines(hit); });
}
function cardLines(hit) {
  if (hit.laidIn !== space.rooms.what) Object.assign(hit, { laidIn: space.rooms.what, cardLines: linesOf(hit) });
  return hit.cardLines;
}

// Newer hits come above: the reader keeps the row at the top of the table, and the one that the keyboard is on.
function keepPlace(drawing) {
  const from = scrolled(), top = indexAt(from), offset = from - topOf(top);
  const ids = [shown[top], shown[current]].map((hit) => hit?.hitID);
  drawing();
  const [row, marked] = ids.map((id) => shown.findIndex((hit) => hit.hitID === id));
  if (from > 0 && row >= 0) scrollRows(topOf(row) + offset);
  current = Math.max(marked, 0);
}

// Put the rows that are in sight between two spacers; those that were there already stay.
function paint() {
  if (forPaper) return;
  if (!painted) layRows();
  const from = scrolled(), room = Math.max(inSight(), 600);
  const first = Math.min(Math.max(indexAt(from) - SPARE, 0), shown.length);
  const last = Math.min(indexAt(from + room) + 1 + SPARE, shown.length);
  if (painted && painted.first === first && painted.last === last) return;
  if (painted && first < painted.last && last > painted.first) moveRows(first, last);
  else {
    keepFocus(() => at("rows").replaceChildren(spacer(topOf(first)), ...rowsOf(first, last), spacer(topOf(shown.length) - topOf(last))),
      () => at("rows").querySelector('[tabindex="0"]'));
  }
  painted = { first, last };
}
function moveRows(first, last) {
  const rows = at("rows"), there = [...rows.querySelectorAll(".row")];
  const gone = there.filter((row) => Number(row.dataset.index) < first || Number(row.dataset.index) >= last);
  const focused = gone.includes(document.activeElement);
  rows.firstChild.after(...rowsOf(first, Math.min(painted.first, last)));
  rows.lastChild.before(...rowsOf(Math.max(painted.last, first), last));
  for (const row of gone) row.remove();
  tallSpacer(rows.firstChild, topOf(first));
  tallSpacer(rows.lastChild, topOf(shown.length) - topOf(last));
  if (focused) rows.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
}
function rowsOf(first, last) { return shown.slice(first, Math.max(last, first)).map((hit, offset) => tallRow(hit, first + offset)); }
function tallRow(hit, index) {
  const made = row(hit, index);
  if (tops) made.style.height = `${topOf(index + 1) - topOf(index)}px`;
  return made;
}
// For paper all rows, each held together with what is below it. In tables of a few: a browser lays out a table anew, with
// all of its rows, for each sheet that it goes over.
function paintForPaper(is) {
  forPaper = is;
  for (const one of document.querySelectorAll(".sheets")) one.remove();
  at("rows").replaceChildren();
  painted = null;
  if (!is) return paint();
  const printed = shown.slice(0, PRINTED), starts = Array.from({ length: Math.ceil(printed.length / SHEETS) }, (_, part) => part * SHEETS);
  at("scroll").append(...starts.map((start) => make("table", { class: "sheets" },
    starts.length > 1 ? make("caption", {}, `Hits ${number.format(start + 1)} to ${number.format(Math.min(start + SHEETS, printed.length))} of ${number.format(shown.length)}`) : "", at("table").tHead.cloneNode(true),
    ...printed.slice(start, start + SHEETS).map((hit) => make("tbody", { class: "sheet" }, paperRow(hit), ...onPaper(hit))))));
}
function spacer(height) { return tallSpacer(make("tr", { class: "spacer", "aria-hidden": "true" }, make("td", { colspan: HEADS.length })), height); }
function tallSpacer(spacer, height) {
  spacer.hidden = height === 0;
  spacer.firstChild.style.height = `${height}px`;
  return spacer;
}

function goTo(index) {
  current = Math.min(Math.max(index, 0), shown.length - 1);
  const top = topOf(current), end = topOf(current + 1), from = scrolled(), room = inSight();
  if (top < from) scrollRows(top);
  if (end > from + room) scrollRows(end - room);
  paint();
  for (const row of at("rows").querySelectorAll(".row")) row.tabIndex = Number(row.dataset.index) === current ? 0 : -1;
  at("rows").querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
}
function pressInTable(press) {
  const screen = Math.max(indexAt(scrolled() + inSight()) - indexAt(scrolled()) - 1, 1);
  const to = { ArrowDown: current + 1, ArrowUp: current - 1, PageDown: current + screen, PageUp: current - screen, Home: 0, End: shown.length - 1 }[press.key];
  if (to !== undefined) goTo(to);
  else if (press.key === "Enter" || press.key === " ") openHit(shown[current]);
  else return;
  press.preventDefault();
}
function wireTable() {
  for (const scroller of [at("scroll"), window]) scroller.addEventListener("scroll", () => requestAnimationFrame(paint));
  at("rows").addEventListener("click", (click) => {
    const found = click.target.closest(".row");
    if (found && !String(getSelection())) openHit(shown[Number(found.dataset.index)]);
  });
  at("rows").addEventListener("keydown", pressInTable);
  at("sort").addEventListener("change", () => sortBy(at("sort").value));
  at("turn").addEventListener("click", () => sortBy(asked.sort));
  new ResizeObserver(() => { if (at("table").clientWidth !== space.width) painted = null; paint(); }).observe(at("table"));
  addEventListener("resize", () => requestAnimationFrame(paint));
  addEventListener("beforeprint", () => paintForPaper(true));
  addEventListener("afterprint", () => paintForPaper(false));
}
