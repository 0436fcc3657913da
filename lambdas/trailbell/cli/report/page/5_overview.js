// Tiles by level, the timeline, and who and what makes most hits: each of them is a filter, too.
function drawLevels() {
  const counts = new Map(counted(passing("level"), LEVEL).map((entry) => [entry.value, entry.count]));
  at("levels").replaceChildren(...LEVELS.map((level) => make("button", {
    type: "button", class: `tile ${level}`, "aria-pressed": String(chosen("level").has(level)),
    "data-level": level, "data-key": `level ${level}`, disabled: !counts.get(level) && !chosen("level").has(level),
    onclick: () => { choose("level", level); draw(); },
  }, make("b", {}, number.format(counts.get(level) ?? 0)), make("span", {}, level))));
}

const HOUR = 3600e3, DAY = 24 * HOUR;
const STEPS = [60e3, 5 * 60e3, 15 * 60e3, HOUR, 3 * HOUR, 6 * HOUR, DAY, 7 * DAY, 28 * DAY, 91 * DAY];
const COLUMNS = 72;
let step = 0, begin = 0, columns = 0;

// Columns are fixed by all hits, so that filtering changes heights and never the scale of time.
function layTimeline() {
  columns = 0;
  const moments = page.hits.map((hit) => hit.moment).filter((moment) => moment > 0);
  const first = moments.reduce((a, b) => Math.min(a, b), Infinity), last = moments.reduce((a, b) => Math.max(a, b), 0);
  if (!moments.length) return;
  step = STEPS.find((one) => (last - first) / one < COLUMNS) ?? Math.ceil((last - first) / COLUMNS / DAY) * DAY;
  begin = Math.floor(first / step) * step;
  columns = Math.max(Math.floor((last - begin) / step) + 1, 12);
}

function drawTimeline() {
  if (!columns) return at("timeline").replaceChildren(make("p", { class: "empty" }, "No hits."));
  const heights = Array.from({ length: columns }, () => LEVELS.map(() => 0));
  for (const hit of passing("time")) {
    const column = Math.floor((hit.moment - begin) / step);
    if (heights[column]) heights[column][LEVELS.indexOf(hit.level)] += 1;
  }
  const most = Math.max(1, ...heights.map((column) => column.reduce((a, b) => a + b)));
  const width = 1200, height = 140, left = 34, slot = (width - left) / columns;
  const svg = make("svg:svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "group",
    "aria-label": "Hits over time by level; each column filters" });
  for (const share of [0, 0.5, 1]) {
    const y = height - share * (height - 8);
    svg.append(make("svg:line", { class: "grid", x1: left, x2: width, y1: y, y2: y }));
  }
  heights.forEach((parts, column) => svg.append(drawColumn(parts, column, { left, slot, height, most })));
  svg.addEventListener("keydown", moveColumn);
  at("timeline").replaceChildren(svg, drawScale(most), drawTicks());
  at("timeline-note").textContent = `each column ${stepName()}, UTC`;
}

function drawColumn(parts, column, { left, slot, height, most }) {
  const from = begin + column * step, total = parts.reduce((a, b) => a + b);
  const said = LEVELS.map((level, at) => parts[at] && `${parts[at]} ${level}`).filter(Boolean).join(", ");
  const label = `${utc(from).slice(0, step < DAY ? 16 : 10)}: ${plural(total, "hit")}${said ? ` (${said})` : ""}`;
  const group = make("svg:g", { class: "column", role: "button", tabindex: column ? "-1" : "0", "aria-label": label,
    "aria-pressed": String(asked.from === from), "data-column": column, "data-key": `column ${from}`,
    onclick: () => chooseTime(from), },
  make("svg:title", {}, label), make("svg:rect", { class: "hot", x: left + column * slot, y: 0, width: slot, height }));
  let y = height;
  LEVELS.forEach((level, at) => {
    if (!parts[at]) return;
    const tall = Math.max((parts[at] / most) * (height - 8), 1.5);
    y -= tall;
    group.append(make("svg:rect", { class: `part ${level}`, x: left + column * slot + slot * 0.12, y, width: slot * 0.76, height: tall }));
  });
  return group;
}

function chooseTime(from) {
  const same = asked.from === from;
  asked.from = same ? null : from;
  asked.to = same ? null : from + step;
  draw();
  focusColumn(Math.round((from - begin) / step));
}
function focusColumn(column) {
  const all = [...document.querySelectorAll("#timeline .column")];
  all.forEach((one) => one.setAttribute("tabindex", "-1"));
  all[column]?.setAttribute("tabindex", "0");
  all[column]?.focus({ preventScroll: true });
}
function moveColumn(press) {
  const now = Number(press.target.dataset.column);
  const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: columns - 1 }[press.key];
  if (to !== undefined) focusColumn(Math.min(Math.max(to, 0), columns - 1));
  else if (press.key === "Enter" || press.key === " ") chooseTime(begin + now * step);
  else return;
  press.preventDefault();
}

// Words stand outside of the drawing, which is stretched to the width of the page.
function drawScale(most) {
  return make("div", { class: "scale", "aria-hidden": "true" }, make("span", {}, number.format(most)), make("span", {}, "0"));
}
function drawTicks() {
  const every = Math.max(Math.ceil(columns / 6), 1), labels = [];
  for (let column = 0; column < columns; column += every) {
    const text = utc(begin + column * step), label = step < DAY ? text.slice(5, 16) : text.slice(0, 10);
    const tick = make("span", {}, label);
    tick.style.left = `${((34 + ((1200 - 34) * column) / columns) / 1200) * 100}%`;
    labels.push(tick);
  }
  return make("div", { class: "ticks", "aria-hidden": "true" }, ...labels);
}
function stepName() {
  const names = [[DAY, "day"], [HOUR, "hour"], [60e3, "minute"]];
  const [size, word] = names.find(([size]) => step >= size && step % size === 0);
  return plural(step / size, word);
}

// The top lists: a few entries, and on demand fifty more at a time. Paper says how many it leaves out.
const SHOWN = 7, MORE = 50;
const expanded = new Map();
function drawFacets() {
  at("facets").replaceChildren(...FACETS.map(drawFacet));
}
function drawFacet(facet) {
  const entries = counted(passing(facet.key), facet), most = entries[0]?.count ?? 1;
  const length = expanded.get(facet.key) ?? SHOWN, shown = entries.slice(0, length);
  for (const value of chosen(facet.key)) {
    if (!shown.some((entry) => entry.value === value)) shown.push(entries.find((entry) => entry.value === value) ?? { value, count: 0, worst: 4 });
  }
  const hidden = entries.length - shown.length;
  const to = (key, length, text) => make("button", { type: "button", class: "more", "data-key": `${key} ${facet.key}`, "aria-label": `${facet.title}: ${text}`,
    onclick: () => { length > SHOWN ? expanded.set(facet.key, length) : expanded.delete(facet.key); keepFocus(drawFacets, () => keyed(`more ${facet.key}`) ?? keyed(`fewer ${facet.key}`)); } }, text);
  return make("div", { class: `card facet ${facet.key}`, "data-facet": facet.key }, make("h2", {}, facet.title),
    entries.length ? make("ul", {}, ...shown.map((entry) => drawEntry(facet, entry, most))) : make("p", { class: "quiet none" }, "none"),
    make("div", { class: "mores" },
      hidden > 0 ? to("more", length + MORE, hidden > MORE ? `${MORE} more of ${number.format(hidden)}` : `${number.format(hidden)} more`) : null,
      length > SHOWN ? to("fewer", SHOWN, "Fewer") : null),
    hidden > 0 ? make("p", { class: "quiet unprinted" }, `${number.format(hidden)} more ${hidden === 1 ? "is" : "are"} not on paper; “more” in the file shows ${hidden === 1 ? "it" : "them"}.`) : null);
}
function drawEntry(facet, entry, most) {
  const named = nameOf(facet.kind, entry.value), whole = wholeName(named);
  const fill = make("span", { class: "fill" });
  fill.style.width = `${(entry.count / most) * 100}%`;
  return make("li", {}, make("button", { type: "button", title: entry.value === named.name ? whole : `${whole}\n${entry.value}`,
    "aria-pressed": String(chosen(facet.key).has(entry.value)),
    "aria-label": `${whole}: ${plural(entry.count, "hit")}, worst ${LEVELS[entry.worst]}`, "data-value": entry.value, "data-key": `${facet.key} ${entry.value}`,
    onclick: () => { choose(facet.key, entry.value); draw(); } },
  fill, make("span", { class: `dot ${LEVELS[entry.worst]}` }),
  make("span", { class: "name" }, make("span", { class: /^\d{12}$/.test(named.name) ? "label id" : "label" }, bounded(named.name)), named.detail && make("span", { class: "detail" }, bounded(named.detail))),
  make("span", { class: "n" }, number.format(entry.count))));
}

// Buttons that filter by what became of hits, and by what they are, where there is more than one.
function drawStates() {
  at("states").replaceChildren(...pills(STANDING, [AHEAD, PASSED, ...STATES], 2), ...pills(KIND, ["episode", "part of an episode", "live", "not notified yet"], 1));
}
function pills(facet, values, fewest) {
  const counts = new Map(counted(passing(facet.key), facet).map((entry) => [entry.value, entry.count]));
  const shown = values.filter((value) => counts.get(value) || chosen(facet.key).has(value));
  return (shown.length < fewest ? [] : shown).map((value) => make("button", {
    type: "button", class: value === PASSED ? "late" : "", "aria-pressed": String(chosen(facet.key).has(value)), "data-value": value, "data-key": `${facet.key} ${value}`,
    onclick: () => { choose(facet.key, value); draw(); },
  }, `${value} ${number.format(counts.get(value) ?? 0)}`));
}
