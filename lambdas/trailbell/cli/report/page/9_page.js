// The page as a whole: what is drawn when, and in which colours.
function draw() {
  keepFocus(() => { drawOverview(); drawHits(); }, () => at("search"));
}
function drawOverview() {
  drawLevels();
  drawStates();
  drawTimeline();
  drawFacets();
  drawChips();
}
// Show a packed document (lookback/report.py), the first or a newer one. What the reader asked for, opened, reached and
// wrote stays; deadlines count from now.
function showPage(packed) {
  const top = scrollY;
  keepFocus(() => {
    read(packed);
    headline();
    layTimeline();
    keepPlace(() => { list(sorted(passing())); drawOverview(); painted = null; paint(); });
    painted = null;
    paint();
  });
  redrawDetail();
  scrollTo(0, top);
}
function drawChips() {
  const chips = [];
  for (const facet of ALL) {
    for (const value of chosen(facet.key)) {
      chips.push(chip(facet.title, wholeName(nameOf(facet.kind, value)), () => choose(facet.key, value)));
    }
  }
  if (asked.from !== null) chips.push(chip("Time", `${utc(asked.from).slice(0, 16)} to ${utc(asked.to).slice(0, 16)}`, () => { asked.from = asked.to = null; }));
  if (asked.text) chips.push(chip("Search", asked.text, () => { asked.text = at("search").value = ""; }));
  if (chips.length > 1) {
    chips.push(make("button", { type: "button", class: "clear", "data-key": "clear", onclick: () => {
      asked.chosen.clear();
      asked.from = asked.to = null;
      asked.text = at("search").value = "";
      draw();
    } }, "Clear all"));
  }
  at("chips").replaceChildren(...chips);
}
function chip(title, text, remove) {
  return make("button", { type: "button", title: text, "aria-label": `Remove filter ${title}: ${text}`, "data-key": `chip ${title} ${text}`, onclick: () => { remove(); draw(); } },
    make("span", { class: "quiet" }, `${title} `), bounded(text), make("span", { class: "cross", "aria-hidden": "true" }, " ×"));
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

// On a phone the top lists wait behind their title, so that hits are near; paper always has them.
function wireLists() {
  const narrow = matchMedia("screen and (max-width: 820px)"), lists = at("more");
  let open = true;
  const fit = () => { lists.open = !narrow.matches; };
  narrow.addEventListener("change", fit);
  addEventListener("beforeprint", () => { open = lists.open; lists.open = true; });
  addEventListener("afterprint", () => { lists.open = open; });
  fit();
}

function headline() {
  const days = page.hits.map((hit) => hit.time.slice(0, 10)).sort();
  const span = !days.length ? "" : days[0] === days.at(-1) ? ` on ${days[0]}` : `, ${days[0]} to ${days.at(-1)}`;
  at("headline").textContent = plural(page.hits.length, "hit") + span;
  const accounts = new Set(page.hits.map((hit) => hit.account)).size, actors = new Set(page.hits.flatMap(actorsOf)).size;
  at("subline").textContent = `${plural(actors, "actor")} in ${plural(accounts, "account")}. ${page.document.note}${page.document.source}`;
  at("foot").textContent = `Made ${page.document.made} by trailbell. Times are UTC. Deadlines as of ${utc(page.now)}, when this page was shown.`;
  document.title = `trailbell report: ${at("headline").textContent}`;
}

drawHeads();
wireTable();
wireTheme();
wireLists();
showPage(JSON.parse(at("data").textContent));
// What `trailbell serve` adds to: newer documents, what can be done about a hit, and a line about the connection.
globalThis.trailbell = { showPage, onDetail, status: at("status") };
let wait = 0;
at("search").addEventListener("input", () => {
  clearTimeout(wait);
  wait = setTimeout(() => { asked.text = at("search").value; draw(); }, 80);
});
at("print").addEventListener("click", () => print());
at("detail").addEventListener("close", () => { opened = ""; goTo(current); });
at("detail").addEventListener("click", (click) => { if (click.target === at("detail")) at("detail").close(); });
