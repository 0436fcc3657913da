// The page as a whole: what is drawn when, and in which colours.
function draw(focus = "") {
  drawLevels();
  drawStates();
  drawTimeline();
  drawFacets();
  drawChips();
  drawHits();
  if (focus) refocus(focus);
}
// What was pressed was drawn anew: the keyboard stays where it was.
function refocus(focus) {
  const [key, ...value] = focus.split(" ");
  const found = value.length ? [...document.querySelectorAll(`[data-facet="${key}"] [data-value]`)].find((one) => one.dataset.value === value.join(" "))
    : document.querySelector(`[data-level="${key}"]`);
  found?.focus({ preventScroll: true });
}
function drawChips() {
  const chips = [];
  for (const facet of [...SMALL, ...FACETS]) {
    for (const value of chosen(facet.key)) {
      const text = facet.text ? facet.text(value) : value;
      chips.push(chip(text, () => choose(facet.key, value)));
    }
  }
  if (asked.from !== null) chips.push(chip(`${utc(asked.from).slice(0, 16)} to ${utc(asked.to).slice(0, 16)}`, () => { asked.from = asked.to = null; }));
  if (chips.length > 1) {
    chips.push(chip("Clear all", () => { asked.chosen.clear(); asked.from = asked.to = null; asked.text = at("search").value = ""; }));
  }
  at("chips").replaceChildren(...chips);
}
function chip(text, remove) {
  return make("button", { type: "button", "aria-label": text === "Clear all" ? text : `Remove filter ${text}`, onclick: () => { remove(); draw(); at("search").focus(); } },
    text === "Clear all" ? text : `${text} ×`);
}

const THEMES = [["", "◐", "System", "as the system"], ["light", "☀", "Light", "light"], ["dark", "☾", "Dark", "dark"]];
function wireTheme() {
  let theme = 0;
  at("theme").addEventListener("click", () => {
    theme = (theme + 1) % THEMES.length;
    const [name, sign, word, said] = THEMES[theme];
    name ? document.documentElement.setAttribute("data-theme", name) : document.documentElement.removeAttribute("data-theme");
    at("theme").replaceChildren(`${sign} `, make("span", {}, word));
    at("theme").setAttribute("aria-label", `Colours: ${said}`);
  });
}

function headline() {
  const days = HITS.map((hit) => hit.time.slice(0, 10)).sort();
  const span = !days.length ? "" : days[0] === days.at(-1) ? ` on ${days[0]}` : `, ${days[0]} to ${days.at(-1)}`;
  at("headline").textContent = plural(HITS.length, "hit") + span;
  const accounts = new Set(HITS.map((hit) => hit.account)).size, actors = new Set(HITS.map((hit) => hit.actorKey)).size;
  at("subline").textContent = `${plural(actors, "actor")} in ${plural(accounts, "account")}. ${PACKED.source}`;
  at("foot").textContent = `Made ${PACKED.made} by trailbell. Times are UTC. Deadlines as of ${utc(OPENED)}, when this page was opened. ${PACKED.note}`;
  document.title = `trailbell report: ${at("headline").textContent}`;
}

headline();
layTimeline();
drawHeads();
wireTable();
wireTheme();
draw();
let wait = 0;
at("search").addEventListener("input", () => {
  clearTimeout(wait);
  wait = setTimeout(() => { asked.text = at("search").value; draw(); }, 80);
});
at("print").addEventListener("click", () => print());
at("detail").addEventListener("close", () => goTo(current));
at("detail").addEventListener("click", (click) => { if (click.target === at("detail")) at("detail").close(); });
