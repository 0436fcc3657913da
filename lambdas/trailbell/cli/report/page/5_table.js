// The table of hits: only the rows in sight exist, so ten thousand scroll like ten.
const HEADS = [
  ["moment", "Time (UTC)", "172px"], ["level", "Level", "118px"], ["left", "State", "164px"], ["rule", "Rule", "16%"],
  ["call", "Call", "13%"], ["name", "Actor", "13%"], ["resource", "Resource", "17%"], ["account", "Account", "134px"], ["region", "Region", "122px"],
];
const ROW = 34, SPARE = 12, PRINTED = 2000;
let shown = [], current = 0, whole = false, painted = "";

function drawHeads() {
  at("heads").replaceChildren(...HEADS.map(([key, title, width]) => {
    const active = asked.sort === key;
    const head = make("th", { scope: "col", "data-title": title, "aria-sort": active ? (asked.down ? "descending" : "ascending") : "none" },
      make("button", { type: "button", "data-sort": key, "data-key": `sort ${key}`, onclick: () => sortBy(key) }, title, make("i", { "aria-hidden": "true" }, active ? (asked.down ? " ↓" : " ↑") : "")));
    head.style.width = width;
    return head;
  }));
}
function sortBy(key) {
  asked.down = asked.sort === key ? !asked.down : key === "moment" || key === "level"; // by state: the next deadline first
  asked.sort = key;
  keepFocus(() => { drawHeads(); drawHits(); });
}

function drawHits() {
  list(sorted(passing()));
  current = 0;
  at("scroll").scrollTop = 0;
  painted = "";
  paint();
}
function list(hits) {
  shown = hits;
  at("scroll").classList.toggle("short", shown.length <= 16);
  at("count").textContent = shown.length === page.hits.length ? plural(shown.length, "hit")
    : `${number.format(shown.length)} of ${plural(page.hits.length, "hit")}`;
  at("empty").hidden = shown.length > 0;
  at("table").setAttribute("aria-rowcount", shown.length + 1);
}
// Newer hits come above: the reader keeps the row at the top of the table, and the one that the keyboard is on.
function keepPlace(drawing) {
  const box = at("scroll"), top = Math.floor(box.scrollTop / ROW), offset = box.scrollTop - top * ROW;
  const ids = [shown[top], shown[current]].map((hit) => hit?.hitID);
  drawing();
  const [row, marked] = ids.map((id) => shown.findIndex((hit) => hit.hitID === id));
  if (box.scrollTop > 0 && row >= 0) box.scrollTop = row * ROW + offset;
  current = Math.max(marked, 0);
}

// Put the rows that are in sight between two spacers.
function paint() {
  const box = at("scroll");
  const first = whole ? 0 : Math.max(Math.floor(box.scrollTop / ROW) - SPARE, 0);
  const last = whole ? Math.min(shown.length, PRINTED) : Math.min(Math.ceil((box.scrollTop + Math.max(box.clientHeight, 600)) / ROW) + SPARE, shown.length);
  if (painted === `${first} ${last} ${whole}`) return;
  painted = `${first} ${last} ${whole}`;
  keepFocus(() => at("rows").replaceChildren(spacer(first), ...shown.slice(first, last).flatMap((hit, offset) => [row(hit, first + offset), ...(whole ? undoOnPaper(hit) : [])]),
    whole ? unprinted(last) : spacer(shown.length - last)), () => at("rows").querySelector('[tabindex="0"]'));
}
function spacer(rows) {
  const cell = make("td", { colspan: HEADS.length });
  cell.style.height = `${rows * ROW}px`;
  return make("tr", { class: "spacer", "aria-hidden": "true", hidden: rows === 0 }, cell);
}
function unprinted(last) {
  const text = last < shown.length ? `${number.format(shown.length - last)} more hits are not printed: filter first` : "";
  return make("tr", { class: "spacer" }, make("td", { colspan: HEADS.length, class: "empty" }, text));
}
function row(hit, index) {
  const more = hit.resources.length > 1 ? make("span", { class: "aside" }, ` +${hit.resources.length - 1}`) : "";
  return make("tr", { class: "row", tabindex: index === current ? "0" : "-1", "aria-rowindex": index + 2, "data-index": index, "data-key": `hit ${hit.hitID}` },
    make("td", { class: "time" }, utc(hit.moment)),
    make("td", {}, make("span", { class: `level ${hit.level}` }, hit.level === "informational" ? "info" : hit.level)),
    make("td", { title: [hit.standing, left(hit)].filter(Boolean).join(", "), class: hit.passed ? "late" : hit.waits ? "" : "aside" }, stateText(hit)),
    make("td", { title: hit.title }, hit.rule), make("td", { title: hit.call }, hit.call),
    make("td", { title: hit.actor }, hit.name || hit.actor),
    make("td", { title: hit.resources.join("\n") }, shortResource(hit.resources[0] ?? ""), more),
    make("td", { class: "account" }, hit.account), make("td", {}, hit.region));
}

function goTo(index) {
  current = Math.min(Math.max(index, 0), shown.length - 1);
  const box = at("scroll"), top = current * ROW;
  if (top < box.scrollTop) box.scrollTop = top;
  if (top + 2.2 * ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + 2.2 * ROW - box.clientHeight;
  painted = "";
  paint();
  at("rows").querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
}
function pressInTable(press) {
  const screen = Math.max(Math.floor(at("scroll").clientHeight / ROW) - 2, 1);
  const to = { ArrowDown: current + 1, ArrowUp: current - 1, PageDown: current + screen, PageUp: current - screen, Home: 0, End: shown.length - 1 }[press.key];
  if (to !== undefined) goTo(to);
  else if (press.key === "Enter" || press.key === " ") openHit(shown[current]);
  else return;
  press.preventDefault();
}
function wireTable() {
  at("scroll").addEventListener("scroll", () => requestAnimationFrame(paint));
  at("rows").addEventListener("click", (click) => {
    const found = click.target.closest(".row");
    if (found && !String(getSelection())) openHit(shown[Number(found.dataset.index)]);
  });
  at("rows").addEventListener("keydown", pressInTable);
  addEventListener("resize", () => { painted = ""; paint(); });
  addEventListener("beforeprint", () => { whole = true; paint(); });
  addEventListener("afterprint", () => { whole = false; painted = ""; paint(); });
}
