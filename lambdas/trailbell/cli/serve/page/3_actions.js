// What somebody makes of a hit: the same four actions as the commands, offered where they would change something.
const ACTIONS = [
  { action: "ack", title: "Acknowledge", from: ["open"] },
  { action: "reopen", title: "Reopen", from: ["acked", "resolved", "undone"] },
  { action: "note", title: "Add note", from: ["open", "acked", "resolved", "undone"] },
  { action: "resolve", title: "Resolve", from: ["open", "acked", "resolved"] },
];
const JUDGED = [["", "not judged"], ["false", "as false: nothing was wrong"], ["confirmed", "as confirmed: something was wrong"]];

// What was written and chosen for a hit, by its ref, until it is done: no answer, and no newer document, loses it.
const drafts = new Map();
function draft(hit) {
  if (!drafts.has(hit.ref)) drafts.set(hit.ref, { note: "", as: "", said: "", failed: false, busy: false });
  return drafts.get(hit.ref);
}
function actions(hit) {
  const mine = draft(hit), state = hit.state || "open", isGone = !page.hits.includes(hit);
  const note = make("textarea", { rows: "2", maxlength: "1000", "data-key": `note ${hit.ref}`, "aria-label": "Note", placeholder: "A note for those who look later (optional)", oninput: (typed) => { mine.note = typed.target.value; } });
  note.value = mine.note;
  const judged = make("select", { "data-key": `as ${hit.ref}`, "aria-label": "Resolve as", onchange: (picked) => { mine.as = picked.target.value; redrawDetail(); } },
    ...JUDGED.filter(([value]) => state !== "resolved" || value !== hit.resolvedAs).map(([value, text]) => make("option", { value }, text)));
  judged.value = mine.as;
  const offered = ACTIONS.filter((one) => one.from.includes(state) && (one.action !== "resolve" || state !== "resolved" || mine.as));
  const buttons = offered.map((one) => make("button", { type: "button", class: one.action === NEXT[state] ? "do next" : "do", "data-key": `${one.action} ${hit.ref}`, disabled: mine.busy || isGone, onclick: () => act(hit.ref, one.action) }, one.title));
  return make("div", { class: "actions" },
    becameOf(hit) && !hit.resolvedAs ? "" : make("p", {}, make("b", {}, STATE_NAMES[hit.standing] ?? hit.standing), hit.resolvedAs ? ` as ${hit.resolvedAs}` : ""),
    note,
    make("div", { class: "buttons" }, ...buttons, state === "undone" ? "" : judged),
    isGone ? make("p", { class: "said failed gone", role: "alert" }, `This page shows this hit no more: newer ones took its place (--limit), it is older than the page looks (--since), or it left the table. You see it as it was last known. In a terminal: trailbell hit ${hit.shortID}`) : "",
    make("p", { class: mine.failed ? "said failed" : "said", role: mine.failed ? "alert" : "status" }, mine.busy ? "Asking AWS ..." : mine.said),
    story(hit));
}
const NEXT = { open: "ack", acked: "resolve" };
const STATE_NAMES = { open: "Open", acked: "Acknowledged", resolved: "Resolved", undone: "Undone", muted: "Muted by an exception", replayed: "Found by a replay" };

async function act(ref, action) {
  const hit = page.hits.find((one) => one.ref === ref), mine = drafts.get(ref);
  if (mine.busy) return;
  if (!hit) return redrawDetail(); // says so
  Object.assign(mine, { busy: true, said: "", failed: false });
  redrawDetail();
  const sent = mine.note;
  const answer = await ask("change", { ref, action, version: Number(hit.version), note: sent, as: action === "resolve" ? mine.as : "" });
  Object.assign(mine, { busy: false, failed: !answer.ok, said: answer.ok ? `Done: ${answer.said}` : `Not done. ${sentence(answer)}` });
  if (answer.ok) Object.assign(mine, { note: mine.note === sent ? "" : mine.note, as: "" });
  forgetField(`note ${ref}`, mine.note);
  forgetField(`as ${ref}`, mine.as);
  redrawDetail(); // what came of it is said at once, also where what changed takes its time
  await poll();
  if (live.held) showPage(live.packed); // whoever acts looks at what becomes of it
  redrawDetail();
}
// A redrawn detail takes what stands in its fields: what was sent stands in them no more.
function forgetField(name, value) {
  const field = keyed(name);
  if (field) field.value = value;
}
