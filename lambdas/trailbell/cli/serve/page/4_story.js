// What the table and the trail bucket know of one hit besides: its history, the rest of its alert, the record.
const stories = new Map(), records = new Map();

function story(hit) {
  const known = stories.get(hit.ref);
  if (!known || known.version !== versionOf(hit)) readOf(stories, hit, "hit", 250);
  const told = stories.get(hit.ref);
  return make("div", { class: "story" }, ...(told.answer ? historyOf(told.answer) : [make("p", { class: "quiet" }, "Asking AWS for its history ...")]));
}
// What a row says of what its story tells.
function versionOf(hit) { return JSON.stringify([hit.version, hit.notified, hit.alert]); }
// One question at a time for each hit; one that is left before it was looked at is not asked.
async function readOf(known, hit, path, wait) {
  const asked = { version: versionOf(hit), answer: null };
  known.set(hit.ref, asked);
  if (wait) await new Promise((done) => setTimeout(done, wait));
  if (known.get(hit.ref) !== asked) return;
  if (opened !== hit.hitID) return known.delete(hit.ref);
  const answer = await ask(`${path}?ref=${encodeURIComponent(hit.ref)}`);
  if (known.get(hit.ref) !== asked) return; // it was opened again meanwhile, and asked for anew
  asked.answer = answer;
  redrawDetail();
}
const ASKED = { ack: "acknowledged", resolve: "resolved", reopen: "reopened", note: "noted", undo: "undone" };
function historyOf(told) {
  if (!told.ok) return [failure(told)];
  const lines = told.history.map((one) => since(one.at, [make("b", {}, ASKED[one.action] ?? one.action), one.resolvedAs ? ` as ${one.resolvedAs}` : "", ` by ${one.by}`, one.note ? make("span", { class: "note" }, one.note) : ""]));
  for (const one of told.followUps) if (one.what !== "undone") lines.push(since(one.at, [one.what === "too-late" ? "its deadline passed" : "a reminder of its deadline was sent"]));
  const goes = told.episode ? [make("p", { class: "quiet" }, `As it is now: from ${told.episode.first} to ${told.episode.last}, ${told.episode.countAtLeast} acts or more${told.episode.joined ? ", one episode with an earlier one" : ""}.`)] : [];
  const notified = told.notified ? "Somebody was notified of it" : "Nobody was notified of it";
  return [make("p", { class: "quiet" }, lines.length ? `${notified}.` : `${notified}; nobody has done anything about it yet.`), ...goes,
    lines.length ? make("ol", { class: "history" }, ...lines) : ""];
}
function since(moment, parts) { return make("li", {}, make("span", { class: "when" }, `${utc(Date.parse(moment))} UTC`), make("span", {}, ...parts)); }
function failure(answer) {
  const why = ["refused", "defect"].includes(answer.kind) ? sentence(answer) : "This could not be read now: the top of the page says why.";
  return make("p", { class: "said failed" }, `${why} `, make("button", { type: "button", class: "plain", "data-key": "again", onclick: readAgain }, "Try again"));
}
// What could not be read is asked for again, once AWS answers or somebody says so.
function readAgain() {
  for (const known of [stories, records]) for (const [ref, one] of known) if (one.answer && !one.answer.ok) known.delete(ref);
  redrawDetail();
}
function alertUndo(hit) {
  const told = stories.get(hit.ref)?.answer, others = told?.ok ? told.undo.hits.length - 1 : 0;
  if (others < 1) return [];
  const sure = told.undo.alertRecorded ? "was in one alert" : "would be in one alert";
  return section("The rest of its alert", make("p", {}, `This hit ${sure} with ${plural(others, "other")}. As the command trailbell undo prints it: what cannot run now is a comment.`), command(told.undoScript));
}

function record(hit) {
  const known = records.get(hit.ref);
  if (!known) return make("div", {}, ...section("Record", make("button", { type: "button", class: "plain", "data-key": "record", onclick: () => { readOf(records, hit, "record", 0); redrawDetail(); } }, "Fetch it from the trail bucket")));
  if (!known.answer) return make("div", {}, ...section("Record", make("p", { class: "quiet" }, "Asking AWS ...")));
  if (!known.answer.ok) return make("div", {}, ...section("Record", failure(known.answer)));
  const found = known.answer.record;
  return make("div", {}, ...section("Record", found ? make("p", { class: "quiet" }, "Secrets are hidden.") : "", found ? command(JSON.stringify(found, null, 2)) : make("p", {}, known.answer.missing)));
}
