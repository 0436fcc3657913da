// The hits of the document that is shown, and what is asked of them: filters, order, words.
const LEVELS = ["critical", "high", "medium", "low", "informational"];

// What is shown: a packed document, its hits, when it was shown, and what actors are called. A newer document replaces
// it (showPage in 7_page.js); what the reader asked stays in `asked`.
const page = { document: null, hits: [], now: 0, names: new Map() };
function read(packed) {
  page.document = packed;
  page.now = Date.now();
  page.hits = packed.hits.map((row, id) => unpacked(packed, row, id));
  page.names = new Map(page.hits.map((hit) => [hit.actorKey, hit.name || hit.actor]));
}

// Every text stands once in `pool`; a hit is a row of positions in it (a list of them where there may be several).
function unpacked(packed, row, id) {
  const hit = { id };
  packed.columns.forEach((name, at) => {
    const value = row[at];
    hit[name] = Array.isArray(value) ? value.map((one) => packed.pool[one]) : packed.pool[value];
  });
  hit.moment = Date.parse(hit.time);
  place(hit);
  hit.words = [hit.title, hit.rule, hit.call, hit.actor, hit.name, hit.actorKey, hit.account, hit.region, hit.service,
    hit.outcome, hit.level, hit.standing, hit.stateBy, hit.stateNote, hit.error, hit.address, hit.agent, hit.eventID, hit.requestID, hit.muted, hit.file,
    ...hit.resources, ...hit.also].join("\n").toLowerCase();
  return hit;
}

// What hits can be told apart by; `of` gives a hit's values, `text` what a value is called on the page.
const FACETS = [
  { key: "service", title: "Services", of: (hit) => [hit.service] },
  { key: "rule", title: "Rules", of: (hit) => [hit.rule] },
  { key: "actorKey", title: "Actors", of: (hit) => [hit.actorKey], text: actorName },
  { key: "account", title: "Accounts", of: (hit) => [hit.account] },
  { key: "resources", title: "Resources under attack", of: (hit) => hit.resources, text: shortResource },
];
const SMALL = [
  { key: "level", title: "Level", of: (hit) => [hit.level] },
  { key: "standing", title: "State", of: (hit) => (hit.passed ? [hit.standing, PASSED] : [hit.standing]) },
];

function actorName(key) { return page.names.get(key) ?? key; }
function shortResource(resource) {
  const parts = resource.split(":");
  return resource.startsWith("arn:") && parts.length > 5 ? `${parts[2]} ${parts.slice(5).join(":")}` : resource;
}

const asked = { chosen: new Map(), text: "", from: null, to: null, sort: "moment", down: true };

function chosen(key) { return asked.chosen.get(key) ?? new Set(); }
function choose(key, value) {
  const values = new Set(chosen(key));
  values.delete(value) || values.add(value);
  values.size ? asked.chosen.set(key, values) : asked.chosen.delete(key);
}

// Hits that pass all filters, leaving one facet (or "time") out: what else could be chosen there.
function passing(without = "") {
  const words = asked.text.toLowerCase().split(/\s+/).filter(Boolean);
  const tests = [...FACETS, ...SMALL].filter((facet) => facet.key !== without && asked.chosen.has(facet.key))
    .map((facet) => [facet.of, chosen(facet.key)]);
  const timed = asked.from !== null && without !== "time";
  return page.hits.filter((hit) =>
    (!timed || (hit.moment >= asked.from && hit.moment < asked.to)) &&
    tests.every(([of, values]) => of(hit).some((value) => values.has(value))) &&
    words.every((word) => hit.words.includes(word)));
}

const ORDER = {
  moment: (hit) => hit.moment,
  left: urgency,
  level: (hit) => LEVELS.length - LEVELS.indexOf(hit.level),
  rule: (hit) => hit.rule, call: (hit) => hit.call, name: (hit) => hit.name || hit.actor,
  resource: (hit) => shortResource(hit.resources[0] ?? ""), account: (hit) => hit.account, region: (hit) => hit.region,
};
function sorted(hits) {
  const by = ORDER[asked.sort], sign = asked.down ? -1 : 1;
  return hits.map((hit) => [by(hit), hit]).sort(([a, one], [b, other]) =>
    (a < b ? -sign : a > b ? sign : 0) || other.moment - one.moment || one.id - other.id).map(([, hit]) => hit);
}

function counted(hits, facet) {
  const found = new Map();
  for (const hit of hits) {
    for (const value of new Set(facet.of(hit))) {
      if (!value) continue;
      const entry = found.get(value) ?? { value, count: 0, worst: LEVELS.length - 1 };
      entry.count += 1;
      entry.worst = Math.min(entry.worst, LEVELS.indexOf(hit.level));
      found.set(value, entry);
    }
  }
  return [...found.values()].sort((a, b) => b.count - a.count || a.worst - b.worst || (a.value < b.value ? -1 : 1));
}

const number = new Intl.NumberFormat("en");
function plural(count, word) { return `${number.format(count)} ${word}${count === 1 ? "" : "s"}`; }
function utc(moment) { return new Date(moment).toISOString().slice(0, 19).replace("T", " "); }
