// The table of hits: only the rows in sight exist, so ten thousand scroll like ten. All have one height, which the style
// says; the page scrolls them on a phone, a box of their own on wide screens.
const SPARE = 8, PRINTED = 2000;
let shown = [], current = 0, whole = false, painted = "", tall = 0;

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
  painted = "";
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
  return shown.length > PRINTED ? `On paper are the first ${number.format(PRINTED)} of ${plural(shown.length, "hit")} in this order; `
    + `${number.format(shown.length - PRINTED)} are not. Filter the file before printing, or take them as CSV (trailbell hits or scan, --format csv).` : "";
}

// How far the rows are scrolled, in whichever scrolls.
function ownBox() { return getComputedStyle(at("scroll")).overflowY !== "visible"; }
function scrolled() { return ownBox() ? at("scroll").scrollTop : Math.max(-at("rows").getBoundingClientRect().top, 0); }
function scrollRows(to) {
  if (ownBox()) at("scroll").scrollTop = to;
  else scrollBy(0, to + at("rows").getBoundingClientRect().top);
}
function inSight() { return ownBox() ? at("scroll").clientHeight - at("heads").offsetHeight : innerHeight; }

// Newer hits come above: the reader keeps the row at the top of the table, and the one that the keyboard is on.
function keepPlace(drawing) {
  const from = scrolled(), top = Math.floor(from / tall), offset = from - top * tall;
  const ids = [shown[top], shown[current]].map((hit) => hit?.hitID);
  drawing();
  const [row, marked] = ids.map((id) => shown.findIndex((hit) => hit.hitID === id));
  if (from > 0 && row >= 0) scrollRows(row * tall + offset);
  current = Math.max(marked, 0);
}

// Put the rows that are in sight between two spacers; for paper all of them, each held together with what is below it.
function paint() {
  if (whole) return;
  tall = parseFloat(getComputedStyle(at("scroll")).getPropertyValue("--row"));
  const first = Math.min(Math.max(Math.floor(scrolled() / tall) - SPARE, 0), shown.length);
  const last = Math.min(first + Math.ceil(Math.max(inSight(), 600) / tall) + 2 * SPARE, shown.length);
  if (painted === `${first} ${last} ${tall}`) return;
  painted = `${first} ${last} ${tall}`;
  keepFocus(() => at("rows").replaceChildren(spacer(first), ...shown.slice(first, last).map((hit, offset) => row(hit, first + offset)),
    spacer(shown.length - last)), () => at("rows").querySelector('[tabindex="0"]'));
}
function paintForPaper(is) {
  whole = is;
  for (const one of at("table").querySelectorAll(".sheet")) one.remove();
  at("rows").replaceChildren();
  painted = "";
  if (is) at("table").append(...shown.slice(0, PRINTED).map((hit, index) => make("tbody", { class: "sheet" }, row(hit, index), ...onPaper(hit))));
  else paint();
}
function spacer(rows) {
  const cell = make("td", { colspan: HEADS.length });
  cell.style.height = `${rows * tall}px`;
  return make("tr", { class: "spacer", "aria-hidden": "true", hidden: rows === 0 }, cell);
}

function goTo(index) {
  current = Math.min(Math.max(index, 0), shown.length - 1);
  const top = current * tall, from = scrolled(), room = inSight();
  if (top < from) scrollRows(top);
  if (top + tall > from + room) scrollRows(top + tall - room);
  painted = "";
  paint();
  at("rows").querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
}
function pressInTable(press) {
  const screen = Math.max(Math.floor(inSight() / tall) - 1, 1);
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
  addEventListener("resize", () => { painted = ""; paint(); });
  addEventListener("beforeprint", () => paintForPaper(true));
  addEventListener("afterprint", () => paintForPaper(false));
}
