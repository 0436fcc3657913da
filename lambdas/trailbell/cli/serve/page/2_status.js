// The line in the header: alive, or since when not, why, and who must act. Only what changes is told to a screen reader:
// seconds that pass are not.
const status = { readAt: 0, trouble: null, since: 0, fresh: 0, said: "" };

// `trouble`: what an answer or the server's own outage says, null while all is well.
function told(readAt, trouble) {
  status.readAt = readAt || status.readAt;
  if (trouble && !status.trouble) status.since = trouble.since ? Date.parse(trouble.since) : Date.now();
  if (!trouble && status.trouble) readAgain();
  status.trouble = trouble;
  drawStatus();
}
function drawStatus() {
  const line = at("status"), trouble = status.trouble;
  const said = JSON.stringify([trouble?.error, trouble?.who, !status.readAt, status.fresh, live.held]);
  if (said !== status.said) {
    status.said = said;
    line.className = `status ${trouble ? "trouble" : "alive"}`;
    keepFocus(() => line.replaceChildren(...(trouble ? inTrouble(trouble) : alive())));
  }
  for (const clock of line.querySelectorAll("[data-clock]")) clock.textContent = CLOCKS[clock.dataset.clock]();
}
const CLOCKS = {
  read: () => `read ${span(Date.now() - status.readAt)} ago`,
  since: () => `${utc(status.since)} UTC, ${span(Date.now() - status.since)} ago`,
  next: () => (status.trouble?.nextTry ? `Next try in ${span(Date.parse(status.trouble.nextTry) - Date.now())}.` : ""),
};
function clock(name) { return make("span", { "data-clock": name, "aria-hidden": "true" }); }
function alive() {
  const fresh = status.fresh ? [make("b", {}, `${plural(status.fresh, "new hit")}`), make("button", { type: "button", class: "plain", "data-key": "seen", onclick: seen }, "seen")] : [];
  if (!status.readAt) return ["Reading the table ..."];
  if (live.held) return [make("b", {}, "Held while text is marked"), clock("read"), ...fresh, make("button", { type: "button", class: "plain", "data-key": "release", onclick: release }, "Show what is new")];
  return [make("span", { class: "lamp", "aria-hidden": "true" }), make("span", {}, "Live"), clock("read"), ...fresh];
}
function inTrouble(trouble) {
  const shownIs = status.readAt ? `What you see is as of ${utc(status.readAt)} UTC.` : "Nothing could be read yet.";
  const again = trouble.kind === "locked" ? [] : [make("button", { type: "button", class: "plain", "data-key": "retry", onclick: tryAgain }, "Try now")];
  return [
    make("b", {}, "Not live"), " since ", clock("since"), make("br"), asSentence(trouble.error), trouble.who ? make("br") : "",
    trouble.who ? `Who must act: ${trouble.who}.` : "", make("br"), shownIs, " ", clock("next"), " ", ...again,
  ];
}
function seen() {
  status.fresh = 0;
  drawStatus();
}
async function tryAgain() {
  await ask("retry", {});
  poll();
}
setInterval(drawStatus, 1000);
