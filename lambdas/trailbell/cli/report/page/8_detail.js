// One hit in full: who did what, what it means, and how to undo it.
let opened = "";
// Called with (hit, element) whenever a hit's detail is drawn, to append what can be done about it (`trailbell serve`).
const onDetail = [];
// Called with the hit whenever somebody opens one.
const onOpen = [];
// The hit as it was drawn last: a newer document may not have it any more.
let drawn = null;

function openHit(hit) {
  if (!hit) return;
  const dialog = at("detail");
  opened = hit.hitID;
  if (shown.includes(hit)) current = shown.indexOf(hit);
  for (const each of onOpen) each(hit);
  drawDetail(hit);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  at("close").focus({ preventScroll: true });
}
// A newer document says something else of the hit that is open: its place, and what was begun in a field, stay.
function redrawDetail() {
  if (!at("detail").open) return;
  const hit = page.hits.find((one) => one.hitID === opened) ?? drawn;
  const dialog = at("detail"), top = dialog.scrollTop;
  const fields = () => [...dialog.querySelectorAll("input, textarea, select")];
  const before = new Map(fields().map((field) => [field.dataset.key, { value: field.value, height: field.style.height }]));
  keepFocus(() => {
    drawDetail(hit);
    for (const field of fields()) if (field !== document.activeElement && before.has(field.dataset.key)) {
      field.value = before.get(field.dataset.key).value;
      field.style.height = before.get(field.dataset.key).height;
    }
  }, () => at("close"));
  dialog.scrollTop = top;
}
// Put what was drawn anew into an element, but for the field that somebody is in and what holds it: these stay, with the
// caret, the size, and a word that is being composed.
function replaceAround(element, newer, field) {
  const holds = (one) => one.contains(field), like = `[data-key="${CSS.escape(field?.dataset.key ?? "")}"]`;
  const stays = field && [...element.children].find(holds), twin = stays && [...newer.children].find((one) => one.matches(like) || one.querySelector(like));
  if (!twin || twin.tagName !== stays.tagName) return element.replaceChildren(...newer.childNodes);
  const nodes = [...newer.childNodes], place = nodes.indexOf(twin);
  for (const node of [...element.childNodes]) if (node !== stays) node.remove();
  stays.before(...nodes.slice(0, place));
  stays.after(...nodes.slice(place + 1));
  if (stays !== field) replaceAround(stays, twin, field);
}
function drawDetail(hit) {
  drawn = hit;
  const dialog = at("detail"), newer = make("div"), index = shown.indexOf(hit);
  const to = (title, other) => make("button", { type: "button", "data-key": title, disabled: index < 0 || !other, onclick: () => openHit(other) }, title);
  newer.append(
    make("div", { class: "detailhead" }, make("span", { class: `level ${hit.level}` }, hit.level),
      hit.levelNote ? make("span", { class: "aside" }, hit.levelNote) : "", make("span", { class: "grow" }),
      to("Previous", shown[index - 1]), to("Next", shown[index + 1]),
      make("button", { type: "button", id: "close", "data-key": "close", onclick: () => dialog.close() }, "Close")),
    make("h2", { id: "detail-title" }, hit.title),
    make("p", {}, hit.episode ? `${hit.episode}. The last is by ${hit.actor}, in account ${page.names.account(hit.account)}, ${hit.region}.` : `${hit.actor} called ${hit.call} (${hit.source}) in account ${page.names.account(hit.account)}, ${hit.region}, at ${utc(hit.moment)} UTC. ${outcome(hit)}`),
    ...[becameOf(hit), silenceOf(hit), noticeOf(hit)].filter(Boolean).map((text) => make("p", { class: "became" }, text)),
    ...section(hit.acts.length ? "Acts of the episode" : "", make(hit.someActs ? "ul" : "ol", { class: "acts" }, ...hit.acts.map((act, index) => linkedAct(hit, act, index)))),
    ...section(episodesOf(hit).length ? "Part of" : "", make("ul", {}, ...episodesOf(hit).map((episode) => make("li", {}, toHit(episode, `${episode.title}: ${episode.episode}`))))),
    ...section("What it means", hit.meaning && make("p", {}, hit.meaning)),
    ...section(hit.undo.length ? "Undo" : "", ...undoOf(hit), hit.undoNote && make("p", { class: "quiet" }, hit.undoNote)),
    ...section(!hit.undo.length && hit.undoNote ? "Undo" : "", hit.undoNote && make("p", {}, hit.undoNote)),
    ...section(hit.shown.length ? "Asked for" : "", items(hit.shown, "mono")),
    ...section(hit.resources.length ? "Resources" : "", make("ul", {}, ...hit.resources.map((resource, at) =>
      make("li", {}, make("b", {}, joined([hit.resourceKinds[at], hit.resourceNames[at]])), make("div", { class: "mono quiet" }, resource))))),
    ...section(hit.check.length ? "Check first" : "", items(hit.check)),
    ...section(hit.falsepositives.length ? "Harmless when" : "", items(hit.falsepositives)),
    ...section("Who and where from", facts([["actor", hit.name], ["is", whoDetail(hit)], ["key", hit.actorKey], ["account", hit.actorAccount && page.names.account(hit.actorAccount)],
      ["address", hit.address], ["agent", hit.agent], ["session since", hit.session]])),
    ...section("Ids", facts([["rule", `${hit.rule} (${hit.ruleID})`], ["also matches", hit.also.join(", ")], ["also muted", hit.alsoMuted.join(", ")], ["event", hit.eventID], ["request", hit.requestID],
      ["hit", `${hit.shortID} (${hit.hitID})`], ["log file", hit.file && `${hit.file}, record ${hit.index}`], ["source", joined([hit.sources, hit.seen])], ["techniques", hit.tags.join(", ")]])),
    ...section(hit.references.length ? "References" : "", make("ul", {}, ...hit.references.map(reference))));
  for (const append of onDetail) append(hit, newer);
  const focused = document.activeElement;
  replaceAround(dialog, newer, focused?.matches("#detail :is(input, textarea, select)") ? focused : null);
}
function outcome(hit) {
  const why = [hit.error, hit.errorMessage].filter(Boolean).join(": ");
  return hit.outcome === "success" ? "It succeeded." : `Outcome: ${hit.outcome || "unknown"}${why ? ` (${why})` : ""}.`;
}
// An act that has a hit of its own in this report leads to it.
function linkedAct(episode, text, index) {
  const own = actHit(episode, episode.actIDs[index]);
  return make("li", { class: "mono" }, own ? toHit(own, text) : text);
}
function toHit(hit, text) {
  return make("button", { type: "button", class: "link", "data-key": `to ${hit.hitID}`, onclick: () => openHit(hit) }, text);
}
function section(title, ...content) {
  const filled = content.filter((one) => one);
  return title && filled.length ? [make("h3", {}, title), ...filled] : [];
}
// Each command below what is to be known of it; what that is the same for all is said once.
function undoOf(hit) {
  const steps = stepsOf(hit);
  return steps.flatMap((step, at) => {
    const before = steps[at - 1], isNew = step.said !== (before?.said ?? "");
    const look = step.isOver && step.counts ? "deadline" : step.waits && step.said ? "soon" : "quiet";
    return [isNew ? make("p", { class: look, "data-until": step.counts?.undoUntil ?? "" }, step.said || "without a deadline") : "", step.isOver ? make("p", { class: "mono quiet over" }, step.text) : command(step.text)];
  });
}
function items(texts, kind = "") { return make("ul", {}, ...texts.map((text) => make("li", { class: kind }, text))); }
function facts(pairs) {
  return make("dl", {}, ...pairs.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", {}, name), make("dd", { class: "mono" }, value)]));
}
function command(text) {
  const code = make("code", {}, text);
  const copy = make("button", { type: "button", class: "copy", "aria-label": `Copy: ${text}`, "data-key": `copy ${text}` }, "Copy");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      copy.textContent = "Selected";
    }
  });
  return make("div", { class: "command" }, code, copy);
}
function reference(text) {
  const isLink = /^https:\/\/[^\s\\]+$/.test(text);
  return make("li", {}, isLink ? make("a", { href: text, target: "_blank", rel: "noopener noreferrer" }, text) : text);
}
