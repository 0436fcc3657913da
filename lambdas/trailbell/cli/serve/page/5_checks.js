// The doctor's and the audit's result, with the time they were made; each is run when somebody asks for it.
const CHECKS = [
  { name: "doctor", title: "Doctor", asks: "Would you be notified? Stack, trail, subscriptions and alarms, as the command trailbell doctor prints it.", draw: findings },
  { name: "audit", title: "Audit", asks: "Are all log files there and as CloudTrail signed them? What the deployed audit found in the last seven days.", draw: audited },
];
let checked = {}, checksSaid = "", openOk = false;
const notStarted = new Map();

at("hits").after(make("section", { class: "checks", id: "checks", "aria-label": "Checks" }));
at("print").before(make("button", { type: "button", id: "to-checks", onclick: () => at("checks").scrollIntoView({ behavior: "smooth" }) }, "Checks"));

function drawChecks(newer) {
  checked = newer ?? checked;
  const said = JSON.stringify([checked, openOk, [...notStarted]]);
  if (said === checksSaid) return;
  checksSaid = said;
  const bad = checked.doctor?.result?.counts.problem ?? 0;
  at("to-checks").textContent = bad ? `Checks: ${plural(bad, "problem")}` : "Checks";
  at("to-checks").classList.toggle("late", bad > 0);
  keepFocus(() => at("checks").replaceChildren(...CHECKS.map(card)));
}
function card(check) {
  const now = checked[check.name] ?? {};
  const made = now.madeAt ? `As of ${utc(Date.parse(now.madeAt))} UTC.` : "Not run yet.";
  const running = now.runningSince ? `Runs since ${utc(Date.parse(now.runningSince))} UTC ...` : "";
  const failed = notStarted.get(check.name) || (now.failed && `Not done at ${utc(Date.parse(now.failedAt))} UTC: ${now.failed}`);
  return make("div", { class: "card check", "data-check": check.name },
    make("div", { class: "cardhead" }, make("h2", {}, check.title), make("p", { class: "quiet", role: "status" }, running || made),
      make("button", { type: "button", class: "plain run", "data-key": `run ${check.name}`, disabled: Boolean(running), onclick: () => run(check.name) }, now.madeAt ? "Run again" : "Run")),
    make("p", { class: "quiet" }, check.asks), failed ? make("p", { class: "said failed" }, failed) : "", ...(now.result ? check.draw(now.result) : []));
}
async function run(name) {
  const answer = await ask("check", { name });
  answer.ok ? notStarted.delete(name) : notStarted.set(name, `Not started. ${sentence(answer)}`);
  drawChecks();
  poll();
}
const COUNTED = ["problem", "warning"];
const WORST_FIRST = ["problem", "unknown", "warning", "ok"];
function findings(result) {
  const found = [...result.findings].sort((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state));
  const fine = found.filter((one) => one.state === "ok"), others = found.filter((one) => one.state !== "ok");
  const folded = make("details", { open: openOk, ontoggle: (toggled) => { openOk = toggled.target.open; } }, make("summary", { "data-key": "fine" }, `${plural(fine.length, "check")} ok`), make("ul", { class: "findings" }, ...fine.map(finding)));
  return [make("p", { class: "sum" }, WORST_FIRST.filter((state) => result.counts[state]).map((state) => (COUNTED.includes(state) ? plural(result.counts[state], state) : `${result.counts[state]} ${state}`)).join(", ")),
    others.length ? make("ul", { class: "findings" }, ...others.map(finding)) : "", fine.length ? folded : ""];
}
function finding(one) {
  return make("li", {}, make("span", { class: `state ${one.state}` }, one.state), make("b", {}, one.check), make("p", {}, one.meaning), make("p", { class: "fix" }, one.fix));
}
function audited(result) {
  const rows = result.days.map((day) => make("tr", { class: day.green ? "" : "late" }, ...[day.day, day.account, day.region, day.listed, day.read, day.repaired, day.missing, day.altered, day.chain].map((value) => make("td", {}, String(value)))));
  return [make("p", { class: result.green ? "sum fine" : "sum late" }, result.green ? "Nothing to look at." : "Somebody has to look at this."),
    result.sentences.length ? make("ul", {}, ...result.sentences.map((text) => make("li", { class: "late" }, text))) : "",
    rows.length ? make("div", { class: "wide" }, make("table", { class: "days" }, make("thead", {}, make("tr", {}, ...["Day", "Account", "Region", "Listed", "Read", "Repaired", "Missing", "Altered", "Digests"].map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...rows))) : make("p", { class: "quiet" }, "No digest in the last seven days.")];
}
