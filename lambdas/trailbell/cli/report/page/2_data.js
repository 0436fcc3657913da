// The hits of the document that is shown, and what is asked of them: filters, order, words.
const LEVELS = ["critical", "high", "medium", "low", "informational"];

// What is shown: a packed document, its hits, when it was shown, and what follows from all hits. A newer document
// replaces it (showPage in 9_page.js); what the reader asked stays in `asked`.
const page = { document: null, hits: [], now: 0, names: null, alerts: null, episodes: null };
function read(packed) {
  page.document = packed;
  page.now = Date.now();
  page.hits = packed.hits.map((row, id) => unpacked(packed, row, id));
  page.names = namesOf(page.hits);
  page.alerts = new Map();
  page.episodes = new Map();
  for (const hit of page.hits) {
    if (hit.alert) page.alerts.set(hit.alert, (page.alerts.get(hit.alert) ?? 0) + 1);
    for (const act of hit.actIDs) page.episodes.set(act, [...(page.episodes.get(act) ?? []), hit]);
  }
}

// Every text stands once in `pool`; a hit is a row of positions in it (a list of them where there may be several).
function unpacked(packed, row, id) {
  const hit = { id };
  packed.columns.forEach((name, at) => {
    const value = row[at];
    hit[name] = Array.isArray(value) ? value.map((one) => packed.pool[one]) : packed.pool[value];
  });
  hit.moment = Date.parse(hit.time) || 0;
  hit.undoUntil = nextDeadline(hit);
  hit.things = hit.resources.map((resource) => thingOf(hit, resource));
  place(hit);
  hit.words = [hit.title, hit.rule, hit.call, hit.actor, hit.name, hit.actorKey, hit.account, hit.accountName, hit.region, hit.service,
    hit.outcome, hit.level, hit.standing, hit.stateBy, hit.stateNote, hit.error, hit.address, hit.agent, hit.eventID, hit.requestID,
    hit.shortID, hit.muted, hit.file, ...hit.resources, ...hit.also].join("\n").toLowerCase();
  return hit;
}
// An ARN is a thing of its own; a bare name is one in its account and Region.
function thingOf(hit, resource) {
  return resource.startsWith("arn:") ? resource : `${resource}\n${hit.account}\n${hit.region}`;
}
// An episode of several actors is none of theirs: they are in its acts.
function actorsOf(hit) { return hit.actorKind === "several" ? [] : [hit.actorKey]; }
function episodesOf(hit) { return hit.episode ? [] : page.episodes.get(`${hit.account}/${hit.eventID}`) ?? []; }
function kindsOf(hit) {
  return [hit.episode && "episode", episodesOf(hit).length > 0 && "part of an episode", hit.sources.startsWith("live") && "live",
    hit.notified === "no" && hit.waits && "not notified yet"].filter(Boolean);
}

// What hits can be told apart by; `of` gives a hit's values, `kind` whose names they have (3_names.js).
const FACETS = [
  { key: "service", title: "Services", of: (hit) => [hit.service] },
  { key: "rule", title: "Rules", of: (hit) => [hit.rule] },
  { key: "actorKey", title: "Actors", of: actorsOf, kind: "actors" },
  { key: "account", title: "Accounts", of: (hit) => [hit.account], kind: "accounts" },
  { key: "resources", title: "Resources", of: (hit) => hit.things, kind: "resources" },
];
const LEVEL = { key: "level", title: "Level", of: (hit) => [hit.level] };
const STANDING = { key: "standing", title: "State", of: standings };
const KIND = { key: "kind", title: "Kind", of: kindsOf };
const ALL = [LEVEL, STANDING, KIND, ...FACETS];

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
  const tests = ALL.filter((facet) => facet.key !== without && asked.chosen.has(facet.key))
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
  resource: (hit) => hit.resourceNames[0] ?? "", account: (hit) => nameOf("accounts", hit.account).name, region: (hit) => hit.region,
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
// Records without a valid time are hits, too.
function utc(moment) { return !moment ? "unknown time" : new Date(moment).toISOString().slice(0, 19).replace("T", " "); }
