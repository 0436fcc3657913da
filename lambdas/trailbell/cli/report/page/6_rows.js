// One hit as a row of two lines, as a card on a phone, and what paper has below it.
const HEADS = [
  ["time", [["moment", "Time (UTC)"]]], ["level", [["level", "Level"], ["left", "State"]]], ["what", [["rule", "Rule"], ["call", "Call"]]],
  ["who", [["name", "Actor"]]], ["resource", [["resource", "Resource"]]], ["where", [["account", "Account"], ["region", "Region"]]],
];
const SORTS = HEADS.flatMap(([, sorts]) => sorts);

// The texts of a row's cells, two lines each, beside when and how it stands.
function textsOf(hit) {
  const account = nameOf("accounts", hit.account);
  return [["what", hit.title, joined([hit.call, hit.rule])], ["who", hit.name || hit.actor, whoDetail(hit)],
    ["resource", hit.resourceNames[0] ?? "", whatDetail(hit)], ["where", account.name, joined([account.detail, hit.region])]];
}
// The pixels that cells have for text, and the fonts of their lines; on cards all cells have one width.
const space = { cards: false, width: 0, rooms: {}, first: "", strong: "", second: "", note: "" };
const GAP = 6, EDGES = 20, TAG_EDGES = 14, CARD_GAP = 8, HEAD_GAPS = 50;
function takeSpace() {
  const style = getComputedStyle(at("scroll")), font = (weight, size) => `${weight} ${style.getPropertyValue(size).trim()} ${style.fontFamily}`;
  Object.assign(space, { cards: style.getPropertyValue("--cards").trim() === "1", first: font(400, "--first"), strong: font(600, "--first"), second: font(400, "--second"), note: font(400, "--note") });
  space.width = at("table").clientWidth;
  const card = space.width - 4;
  for (const [part] of HEADS) space.rooms[part] = space.cards ? card : Math.floor(at("heads").querySelector(`[data-part="${part}"]`).getBoundingClientRect().width - EDGES - 1);
}
// How a cell's two texts stand: cut or whole, in how many lines; on a card side by side where both fit into one.
function laid(hit, [part, first, second]) {
  const font = part === "what" ? space.strong : space.first, room = space.rooms[part];
  const aside = part === "resource" && hit.resources.length > 1 ? widthOf(`+${hit.resources.length - 1}`, space.first) + GAP : 0;
  const before = part === "what" ? tags(hit).reduce((sum, [text]) => sum + widthOf(text, space.note) + TAG_EDGES + GAP, 0) : 0;
  if (!space.cards) return { first: cutTo(first, room - aside, font), second: cutTo(second, room - before, space.second), lines: 2, heights: [1, 1] };
  if (part !== "what" && widthOf(first, font) + aside + CARD_GAP + widthOf(second, space.second) <= room) return { first, second, lines: 1, heights: [1, 1], beside: true };
  const heights = [linesFor(first, room - aside, font, part === "what" ? 4 : 2), linesFor(second, room - before, space.second, 2) || (before ? 1 : 0)];
  return { first: cutToLines(first, room - aside, font, heights[0]), second: cutToLines(second, room - before, space.second, heights[1]), lines: heights[0] + heights[1], heights };
}
// Times are all as wide as this one, or less.
const TIME = "0000-00-00 00:00:00";
// Of a card: the time has a line of its own where it does not fit beside level and state.
function linesOf(hit) { return textsOf(hit).reduce((sum, texts) => sum + laid(hit, texts).lines, isSplit(hit) ? 2 : 1); }
function isSplit(hit) {
  if (!space.cards) return false;
  const widths = [widthOf(hit.level, space.strong), widthOf(stateText(hit), space.strong), widthOf(TIME, space.first)];
  return widths.reduce((sum, width) => sum + width, HEAD_GAPS) > space.rooms.what;
}

function row(hit, index) {
  const [day, clock] = utc(hit.moment).split(" "), others = hit.resources.length - 1;
  const texts = new Map(textsOf(hit).map((texts) => [texts[0], texts]));
  const whole = { who: hit.actor, resource: hit.resources.join("\n") };
  const text = (part, before = [], behind = "") => {
    const [, first, second] = texts.get(part), how = laid(hit, texts.get(part));
    return cell(part, [cutText(first, how.first, part === "what" ? "strong" : ""), behind], [...before, cutText(second, how.second)], { title: whole[part], heights: how.heights, beside: how.beside });
  };
  return make("tr", { role: "row", class: `row${hit.waits ? "" : " done"}${isSplit(hit) ? " late-line" : ""}`, tabindex: index === current ? "0" : "-1", "aria-rowindex": index + 2, "data-index": index, "data-key": `hit ${hit.hitID}` },
    cell("time", [make("time", { datetime: hit.time }, clock)], [day]),
    cell("level", [make("span", { class: `level ${hit.level}` }, hit.level === "informational" ? "info" : hit.level)],
      [hit.left !== null ? make("span", { class: hit.passed ? "late" : "soon" }, stateText(hit)) : stateText(hit)]),
    text("what", tags(hit).map(([text, title]) => make("span", { class: "tag", title }, text))), text("who"),
    text("resource", [], others > 0 ? make("span", { class: "aside" }, `+${others}`) : ""), text("where"));
}
const LINES = ["none", "", "two", "three", "four"];
function cell(part, first, second, { title = null, heights = [1, 1], beside = false } = {}) {
  return make("td", { role: "cell", "data-part": part, title, class: beside ? "beside" : null },
    make("div", { class: `line ${LINES[heights[0]]}` }, ...first), make("div", { class: `line second ${LINES[heights[1]]}` }, ...second));
}
// What a row is marked with: a word, and what to say of it.
function tags(hit) {
  return [hit.episode && ["episode", hit.episode], hit.sources.startsWith("live") && ["live", hit.seen],
    hit.outcome && hit.outcome !== "success" && [hit.outcome, hit.error || hit.outcome]].filter(Boolean);
}

// On paper nothing is cut, pressed or pointed at, and each element costs: a browser describes every one in the PDF.
function paperRow(hit) {
  const others = hit.resources.length > 1 ? ` +${hit.resources.length - 1}` : "", [day, clock] = utc(hit.moment).split(" ");
  const texts = new Map(textsOf(hit).map(([part, first, second]) => [part, [first, second]]));
  const cell = (part, first, ...second) => make("td", { "data-part": part }, first, make("div", { class: "second" }, ...second));
  const [title, call] = texts.get("what"), [resource, kind] = texts.get("resource");
  return make("tr", { class: hit.waits ? "row" : "row done" }, cell("time", make("time", { datetime: hit.time }, clock), day),
    cell("level", make("span", { class: `level ${hit.level}` }, hit.level === "informational" ? "info" : hit.level), hit.passed ? make("span", { class: "late" }, stateText(hit)) : stateText(hit)),
    cell("what", make("b", {}, title), ...tags(hit).map(([text]) => make("span", { class: "tag" }, text)), call), cell("who", ...texts.get("who")),
    cell("resource", resource + others, kind), cell("where", ...texts.get("where")));
}
// A row of paper below its hit, which has no detail to open: what became of it, its acts, or how to undo it and until when.
function onPaper(hit) {
  const whole = hit.resources.length > 1 ? `${hit.someActs ? "Resources of these acts" : "All resources"}: ${hit.resources.join(", ")}.` : "";
  const said = [becameOf(hit), silenceOf(hit), noticeOf(hit), hit.episode && `${hit.episode}:`].filter(Boolean).join(" ");
  const steps = hit.waits ? stepsOf(hit).filter((step) => !step.isOver || step.counts) : [];
  const saids = new Set(steps.map((step) => step.said)), [one] = saids.size === 1 ? saids : [""];
  const undo = steps.length ? `Undo${one ? ` (${one})` : ""}:` : "";
  const dated = ({ text, said }) => [make("code", {}, text), saids.size > 1 && said ? make("p", {}, said) : ""];
  const lines = [
    said && make("p", {}, said), ...hit.acts.map((act) => make("p", { class: "act" }, act)), whole && make("p", {}, whole),
    undo && make("p", { class: steps.every((step) => step.isOver) ? "deadline" : "" }, undo), ...steps.flatMap(dated),
    undo && hit.undoNote && make("p", {}, hit.undoNote), !hit.undo.length && hit.waits && hit.undoNote && make("p", {}, `Undo: ${hit.undoNote}`),
  ].filter(Boolean);
  return lines.length ? [make("tr", { class: "onpaper" }, make("td", { colspan: HEADS.length }, ...lines))] : [];
}
