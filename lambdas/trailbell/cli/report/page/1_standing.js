// What became of hits, and how long they can still be undone: as of when this page was shown, not when it was made.
const STATES = ["open", "acked", "resolved", "undone", "muted", "replayed"];
const PASSED = "deadline passed";

// A deadline as rows hold it, 2026-11-27 09:31:02 UTC; what AWS wrote in another form is no time.
function deadlineOf(hit) {
  const is = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/.test(hit.undoUntil) && hit.undo.length && hit.outcome === "success";
  return is ? Date.parse(hit.undoUntil.replace(" ", "T").replace(" UTC", "Z")) : null;
}
// 4 min 50 s: the two largest units, as in mails.
function span(milliseconds) {
  const seconds = Math.max(Math.floor(milliseconds / 1000), 0);
  const units = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
  return units.filter(([amount]) => amount).slice(0, 2).map(([amount, unit]) => `${amount} ${unit}`).join(" ") || "0 s";
}
// Log files that were scanned have no states: there a hit waits like an open one.
function place(hit) {
  const untouched = !hit.state || hit.state === "open";
  hit.standing = hit.muted && untouched ? "muted" : hit.quiet && untouched ? "replayed" : hit.state;
  hit.waits = ["", "open", "acked"].includes(hit.standing);
  hit.deadline = deadlineOf(hit);
  hit.left = hit.deadline === null || !hit.waits ? null : hit.deadline - page.now;
  hit.passed = hit.left !== null && hit.left <= 0;
  hit.undoneAfter = hit.state === "undone" ? span(Date.parse(hit.stateAt) - hit.moment) : "";
}
function left(hit) {
  return hit.undoneAfter ? `after ${hit.undoneAfter}` : hit.left === null ? "" : hit.passed ? PASSED : `${span(hit.left)} left`;
}
// In the table's width: that a hit with a deadline is open goes without saying.
function stateText(hit) {
  if (hit.undoneAfter) return `undone ${left(hit)}`;
  return [hit.standing === "open" && hit.left !== null ? "" : hit.standing, left(hit)].filter(Boolean).join(", ");
}
// What there is to do first sorts first: by deadline, those that have passed before all.
function urgency(hit) { return hit.left ?? Infinity; }
// One sentence each, for the detail and for paper.
function becameOf(hit) {
  if (hit.undoneAfter) return `Undone after ${hit.undoneAfter}, by ${hit.stateBy}, ${utc(Date.parse(hit.stateAt))} UTC${hit.stateNote ? ` (${hit.stateNote})` : ""}.`;
  if (hit.standing === "acked" || hit.standing === "resolved") {
    const how = hit.standing === "acked" ? "Acknowledged" : "Resolved";
    return `${how} by ${hit.stateBy}, ${utc(Date.parse(hit.stateAt))} UTC${hit.stateNote ? `: ${hit.stateNote}` : ""}.`;
  }
  return "";
}
function deadlineText(hit) {
  if (!hit.undoUntil) return "";
  if (hit.left === null) return `until ${hit.undoUntil}`;
  return hit.passed ? `${PASSED}: ${hit.undoUntil}, ${span(-hit.left)} ago` : `until ${hit.undoUntil}: ${span(hit.left)} left`;
}

// Buttons that filter by state, where there is more than one.
function drawStates() {
  const counts = new Map(counted(passing("standing"), SMALL[1]).map((entry) => [entry.value, entry.count]));
  const shown = [...STATES, PASSED].filter((value) => counts.get(value) || chosen("standing").has(value));
  at("states").replaceChildren(...(shown.length < 2 ? [] : shown).map((value) => make("button", {
    type: "button", class: value === PASSED ? "late" : "", "aria-pressed": String(chosen("standing").has(value)), "data-value": value, "data-key": `standing ${value}`,
    onclick: () => { choose("standing", value); draw(); },
  }, `${value} ${number.format(counts.get(value) ?? 0)}`)));
}
// A row of paper below its hit, which has no detail to open: what became of it, or how to undo it and until when.
function undoOnPaper(hit) {
  const said = [becameOf(hit), hit.waits && hit.undo.length ? `Undo${hit.undoUntil ? ` (${deadlineText(hit)})` : ""}:` : ""].filter(Boolean);
  const steps = hit.waits ? hit.undo.map((step) => make("code", {}, step)) : [];
  if (!said.length && !steps.length) return [];
  const cell = make("td", { colspan: HEADS.length }, make("p", { class: hit.passed ? "deadline" : "" }, said.join(" ")), ...steps);
  return [make("tr", { class: "onpaper" }, cell)];
}
