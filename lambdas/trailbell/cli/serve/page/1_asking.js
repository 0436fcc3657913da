// How this page asks the process that serves it. The key came behind the # of the printed address, which no browser
// sends to anybody; it is taken out of the address bar, and lives as long as this tab.
const KEY = "trailbell-key";
function takeKey() {
  const given = /^#key=([\w-]+)$/.exec(location.hash);
  if (given) {
    sessionStorage.setItem(KEY, given[1]);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEY) ?? "";
}
const key = takeKey();

// What an answer is: `ok` and its document, or `error` (a sentence), `who` must act, and `kind`: refused (by us: another
// tab, another person, a note too long), away (AWS), locked (no key), gone (nobody serves any more).
const KINDS = { 400: "refused", 404: "refused", 409: "refused", 403: "locked", 503: "away" };
async function ask(path, body) {
  const options = { headers: { "X-Trailbell-Token": key }, cache: "no-store", signal: AbortSignal.timeout(90_000) };
  if (body) Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  try {
    const answer = await fetch(`/api/${path}`, options);
    if (answer.status === 403) return { kind: "locked", error: "This tab has no key, or one of an earlier start: open the address that trailbell serve printed in its terminal." };
    const document = await answer.json();
    return answer.ok ? { ok: true, ...document } : { kind: KINDS[answer.status] ?? "away", error: document.error, who: document.who };
  } catch (error) {
    if (error.name === "TimeoutError") return { kind: "away", error: "No answer came within 90 seconds.", who: "nobody: try again" };
    return { kind: "gone", error: "trailbell serve does not answer: it was ended.", who: "you: start it again, and open the address it prints then" };
  }
}
function sentence(answer) { return [asSentence(answer.error), answer.who && `Who must act: ${answer.who}.`].filter(Boolean).join(" "); }
// As a sentence: what commands print begins small and ends open.
function asSentence(text) { return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : "."); }
