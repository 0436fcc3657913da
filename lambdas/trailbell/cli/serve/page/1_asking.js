// How this page asks the process that serves it. A key came behind the # of the printed address, which no browser sends
// to anybody. The browser's history keeps it, so it is good for one exchange: for the token that requests carry, and the
// proof by which this page knows the answers of that process. Both live as long as this tab; the proof is never sent.
const SESSION = "trailbell-session", PRINTED_KEY = /^#key=([\w-]+)$/;
const LOCKED = { kind: "locked", error: "This tab has no key: open the address that trailbell serve printed last in its terminal; each opens one tab." };
const STRANGER = { kind: "locked", error: "This page came from a trailbell serve that does not answer any more: something else answers at its address, and nothing is taken from it or sent to it any more", who: "you: close this tab, start trailbell serve again if it was ended, and open the address that it printed last" };
let session = JSON.parse(sessionStorage.getItem(SESSION) ?? "null"), stopped = null;

async function enter() {
  const key = PRINTED_KEY.exec(location.hash)?.[1];
  if (!key) return;
  history.replaceState(null, "", location.pathname);
  try {
    const answer = await fetch("/api/session", { method: "POST", headers: { "X-Trailbell-Token": key }, cache: "no-store", redirect: "error" });
    if (answer.ok) session = await answer.json();
    else if (!session) stopped = { ...LOCKED, error: "This address opened a tab already, or is of an earlier start: open the one that trailbell serve printed last in its terminal." };
  } catch {
    if (!session) stopped = { ...LOCKED, error: "trailbell serve did not take this address's key: open the address that it printed last in its terminal." };
  }
  if (session) sessionStorage.setItem(SESSION, JSON.stringify(session));
}
const entered = enter();
addEventListener("hashchange", () => { if (PRINTED_KEY.test(location.hash)) location.reload(); });

// What an answer is: `ok` and its document, or `error` (a sentence), `who` must act, and `kind`: refused (by us: another
// tab, another person, a note too long), away (AWS), locked (no key, or a stranger answers: for good), gone (nobody
// serves any more), defect (ours).
const KINDS = { 400: "refused", 404: "refused", 409: "refused", 413: "refused", 503: "away" };
async function ask(path, body) {
  await entered;
  if (stopped) return stopped;
  if (!session) return LOCKED;
  const options = { headers: { "X-Trailbell-Token": session.token }, cache: "no-store", redirect: "error", signal: AbortSignal.timeout(90_000) };
  if (body) Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  try {
    const answer = await fetch(`/api/${path}`, options);
    if (answer.headers.get("X-Trailbell-Proof") !== session.proof) return stopped = STRANGER;
    const document = await answer.json();
    if (answer.ok) return { ok: true, ...document };
    return KINDS[answer.status] ? { kind: KINDS[answer.status], error: document.error, who: document.who } : defect(document.error);
  } catch (error) {
    if (error.name === "SyntaxError") return defect("trailbell has a defect: it answered with what is no answer");
    if (error.name === "TimeoutError") return { kind: "away", error: "No answer came within 90 seconds.", who: "nobody: try again" };
    return { kind: "gone", error: "trailbell serve does not answer: it was ended.", who: "you: start it again, and open the address it prints then" };
  }
}
function defect(error) { return { kind: "defect", error: error ?? "trailbell has a defect", who: "you: report what its terminal says" }; }
function sentence(answer) { return [asSentence(answer.error), answer.who && `Who must act: ${answer.who}.`].filter(Boolean).join(" "); }
// As a sentence: what commands print begins small and ends open.
function asSentence(text) { return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : "."); }
