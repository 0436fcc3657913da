// One hit as a row of two lines, as a card on a phone, and what paper has below it.
const HEADS = [
  ["time", [["moment", "Time (UTC)"]]], ["level", [["level", "Level"], ["left", "State"]]], ["what", [["rule", "Rule"], ["call", "Call"]]],
  ["who", [["name", "Actor"]]], ["resource", [["resource", "Resource"]]], ["where", [["account", "Account"], ["region", "Region"]]],
];
const SORTS = HEADS.flatMap(([, sorts]) => sorts);

function row(hit, index) {
  const [day, clock] = utc(hit.moment).split(" "), account = nameOf("accounts", hit.account), others = hit.resources.length - 1;
  return make("tr", { role: "row", class: hit.waits ? "row" : "row done", tabindex: index === current ? "0" : "-1", "aria-rowindex": index + 2, "data-index": index, "data-key": `hit ${hit.hitID}` },
    cell("time", [make("time", { datetime: hit.time }, clock)], [make("span", {}, day)]),
    cell("level", [make("span", { class: `level ${hit.level}` }, hit.level === "informational" ? "info" : hit.level)],
      [make("span", { class: hit.passed ? "late" : hit.left !== null ? "soon" : "" }, stateText(hit))]),
    cell("what", [middle(hit.title, "strong")], [...tags(hit), middle(joined([hit.call, hit.rule]))]),
    cell("who", [middle(hit.name || hit.actor)], [middle(whoDetail(hit))], hit.actor),
    cell("resource", [middle(hit.resourceNames[0] ?? ""), others > 0 ? make("span", { class: "aside" }, `+${others}`) : ""], [middle(whatDetail(hit))], hit.resources.join("\n")),
    cell("where", [middle(account.name)], [middle(joined([account.detail, hit.region]))]));
}
function cell(part, first, second, title = null) {
  return make("td", { role: "cell", "data-part": part, title }, make("div", { class: "line" }, ...first), make("div", { class: "line second" }, ...second));
}
function tags(hit) {
  const tag = (text, title) => make("span", { class: "tag", title }, text);
  return [hit.episode && tag("episode", hit.episode), hit.sources.startsWith("live") && tag("live", hit.seen),
    hit.outcome && hit.outcome !== "success" && tag(hit.outcome, hit.error || hit.outcome)].filter(Boolean);
}

// A row of paper below its hit, which has no detail to open: what became of it, its acts, or how to undo it and until when.
function onPaper(hit) {
  const whole = hit.resources.length > 1 ? `All resources: ${hit.resources.join(", ")}.` : "";
  const said = [becameOf(hit), silenceOf(hit), noticeOf(hit), hit.episode && `${hit.episode}:`].filter(Boolean).join(" ");
  const undo = hit.waits && hit.undo.length ? `Undo${hit.undoUntil ? ` (${deadlineText(hit)})` : ""}:` : "";
  const lines = [
    said && make("p", {}, said), ...hit.acts.map((act) => make("p", { class: "act" }, act)), whole && make("p", {}, whole),
    undo && make("p", { class: hit.passed ? "deadline" : "" }, undo), ...(undo ? hit.undo : []).map((step) => make("code", {}, step)),
    undo && hit.undoNote && make("p", {}, hit.undoNote), !hit.undo.length && hit.waits && hit.undoNote && make("p", {}, `Undo: ${hit.undoNote}`),
  ].filter(Boolean);
  return lines.length ? [make("tr", { class: "onpaper" }, make("td", { colspan: HEADS.length }, ...lines))] : [];
}
