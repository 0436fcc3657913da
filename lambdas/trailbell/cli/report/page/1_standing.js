// What became of hits, and how long they can still be undone: as of when this page was shown, not when it was made.
const STATES = ["open", "acked", "resolved", "undone", "muted", "replayed"];
const PASSED = "deadline passed", AHEAD = "deadline ahead";

// A deadline as rows hold it, 2026-11-27 09:31:02 UTC; what AWS wrote in another form, or no calendar has, is no time.
function timeOf(until) {
  const time = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/.test(until) ? Date.parse(until.replace(" ", "T").replace(" UTC", "Z")) : NaN;
  return Number.isNaN(time) ? null : time;
}
function deadlineOf(hit) { return hit.undo.length && hit.outcome === "success" ? timeOf(hit.undoUntil) : null; }
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
function standings(hit) {
  return [hit.standing, ...(hit.left === null ? [] : [hit.passed ? PASSED : AHEAD])];
}
function left(hit) {
  return hit.undoneAfter ? `after ${hit.undoneAfter}` : hit.left === null ? "" : hit.passed ? PASSED : `${span(hit.left)} left`;
}
// In the table's width: that a hit with a deadline is open goes without saying.
function stateText(hit) {
  if (hit.undoneAfter) return `undone ${left(hit)}`;
  const word = hit.standing === "resolved" && hit.resolvedAs ? `resolved as ${hit.resolvedAs}` : hit.standing;
  return [word === "open" && hit.left !== null ? "" : word, left(hit)].filter(Boolean).join(", ");
}
// What there is to do first sorts first: by deadline, those that have passed before all.
function urgency(hit) { return hit.left ?? Infinity; }
// One sentence each, for the detail and for paper.
function becameOf(hit) {
  const who = `by ${hit.stateBy}, ${utc(Date.parse(hit.stateAt))} UTC`;
  if (hit.undoneAfter) return `Undone after ${hit.undoneAfter}, ${who}${hit.stateNote ? ` (${hit.stateNote})` : ""}.`;
  if (hit.standing === "acked") return `Acknowledged ${who}${hit.stateNote ? `: ${hit.stateNote}` : ""}.`;
  if (hit.standing !== "resolved") return hit.stateNote ? `Note: ${hit.stateNote}` : "";
  const as = { false: " as false: nothing was wrong", confirmed: " as confirmed: something was wrong" }[hit.resolvedAs] ?? "";
  return `Resolved${as}, ${who}${hit.stateNote ? `: ${hit.stateNote}` : ""}.`;
}
function silenceOf(hit) {
  if (hit.muted) {
    const until = hit.mutedUntil ? `, until ${hit.mutedUntil}` : "";
    return `Muted by the exception ${hit.muted}${hit.mutedOwner ? ` of ${hit.mutedOwner}` : ""}${until}${hit.mutedReason ? `: ${hit.mutedReason}` : ""}.`;
  }
  return hit.quiet ? "Found by a replay; nobody was notified." : "";
}
function noticeOf(hit) {
  if (hit.notified === "no" && !hit.muted && !hit.quiet) return "Nobody was notified of it yet.";
  const others = hit.alert ? page.alerts.get(hit.alert) - 1 : 0;
  return others > 0 ? `Notified in one message with ${plural(others, "other hit")} of this report.` : "";
}
// The steps that undo a hit: what is to be said of each, and whether it is over, as `trailbell undo` judges it. Those of
// an episode have the deadlines of their acts; an act that is a hit of this report says itself what became of it.
// `counts` has the deadline, where that is what is said.
function stepsOf(hit) {
  if (!hit.steps.length) return hit.undo.map((text) => ({ text, said: deadlineText(hit), counts: hit.left === null ? null : hit, isOver: hit.passed, waits: hit.waits }));
  return hit.steps.map((text, at) => {
    const undoUntil = hit.stepUntils.some(Boolean) ? hit.stepUntils[at] : hit.undoUntil, time = timeOf(undoUntil);
    const dated = { undoUntil, left: time === null ? null : time - page.now, passed: time !== null && time <= page.now };
    const over = hit.stepActs[at].split(" ").filter(Boolean).map((act) => overOf(actHit(hit, act), dated));
    const isOver = hit.state === "undone" || (over.length ? over.every(Boolean) : dated.passed);
    const done = isOver && (over.find((one) => one && one !== PASSED) || (hit.state === "undone" && becameOf(hit)));
    return { text, said: done || deadlineText(dated), counts: done || time === null ? null : dated, isOver, waits: !isOver };
  });
}
// Why there is nothing to undo of an act of an episode, "" if there is; of one without a hit here its step's deadline says.
function overOf(own, dated) {
  if (!own) return dated.passed ? PASSED : "";
  if (own.state === "undone") return becameOf(own);
  const time = timeOf(own.undoUntil);
  if (time !== null && time <= page.now) return PASSED;
  return ["", "open", "acked"].includes(own.state) ? "" : becameOf(own);
}
// The hit of an episode's act, by its account and event's id, if this report has it; not the one that raised its level.
function actHit(episode, act) {
  const own = page.hits.filter((hit) => hit !== episode && !hit.episode && `${hit.account}/${hit.eventID}` === act);
  return own.find((hit) => hit.hitID.endsWith("/act")) ?? own[0];
}
// The deadline of an episode: the first of its steps' that lies ahead, for that is what there is to lose next, else the last.
function nextDeadline(hit) {
  const untils = hit.stepUntils.filter((until) => timeOf(until) !== null).sort();
  return untils.find((until) => timeOf(until) > Date.now()) ?? untils.at(-1) ?? hit.undoUntil;
}
function deadlineText(hit) {
  if (!hit.undoUntil) return "";
  if (hit.left === null) return `until ${hit.undoUntil}`;
  return hit.passed ? `${PASSED}: ${hit.undoUntil}, ${span(-hit.left)} ago` : `until ${hit.undoUntil}: ${span(hit.left)} left`;
}
