// What makes the page alive: it asks every two seconds for what changed, and shows it where the reader is.
const EVERY = 2000, HIDDEN_EVERY = 10_000, LARGEST_POOL = 400_000;
const live = { number: -1, filled: false, packed: page.document, timer: 0, asking: null, pressed: false, pending: false, held: false };

document.querySelector(".brand").textContent = "trailbell, live";

// One question at a time; whoever asks while one is under way waits for that.
function poll() {
  live.asking ??= pollOnce().finally(() => { live.asking = null; });
  return live.asking;
}
async function pollOnce() {
  clearTimeout(live.timer);
  const answer = await ask(`changes?since=${live.number}`);
  if (answer.ok) {
    take(answer);
    drawChecks(answer.checks);
    const outage = answer.outage && { kind: "away", error: answer.outage.problem, ...answer.outage };
    told(answer.readAt && Date.parse(answer.readAt), outage);
  } else told(0, answer);
  if (answer.kind !== "locked") live.timer = setTimeout(poll, document.hidden ? HIDDEN_EVERY : EVERY);
}

function take(answer) {
  const { hits: newer } = answer;
  const count = newer.hits.length, isNews = live.filled;
  live.filled ||= Boolean(answer.readAt);
  live.packed = { ...live.packed, made: answer.now.replace("T", " ").replace("Z", " UTC"), source: answer.source };
  live.number = newer.number;
  if (!count && !newer.whole && !newer.left.length) return;
  const added = merge(newer);
  if (isNews) status.fresh += added;
  show();
}
// Rows name their texts by place: those of a newer answer go behind the ones that are there.
function merge(newer) {
  const ref = newer.columns.indexOf("ref"), time = newer.columns.indexOf("time");
  const texts = newer.whole ? [] : live.packed.pool, offset = texts.length;
  const moved = newer.hits.map((row) => row.map((place) => (Array.isArray(place) ? place.map((one) => one + offset) : place + offset)));
  const pool = texts.concat(newer.pool);
  const before = new Map(newer.whole ? [] : live.packed.hits.map((row) => [pool[row[ref]], row]));
  const known = new Set(page.hits.map((hit) => hit.ref));
  for (const gone of newer.left) before.delete(gone);
  for (const row of moved) before.set(pool[row[ref]], row);
  const hits = [...before.values()].sort((a, b) => (pool[a[time]] < pool[b[time]] ? 1 : pool[a[time]] > pool[b[time]] ? -1 : 0));
  live.packed = { ...live.packed, columns: newer.columns, pool, hits };
  if (pool.length > LARGEST_POOL && !newer.whole) live.number = -2; // so that the next answer brings all, and nothing twice
  return moved.filter((row) => !known.has(pool[row[ref]])).length;
}
// Not while the reader presses or marks something: what is drawn anew would take it from under the hand. That marked text
// holds it is said; in a field it holds nothing, as fields stay.
function show() {
  live.held = !document.activeElement?.matches("input, textarea") && Boolean(String(getSelection()));
  live.pending = live.pressed || live.held;
  if (!live.pending) showPage(live.packed);
  drawStatus();
}
function release() {
  getSelection().removeAllRanges();
  show();
}
addEventListener("pointerdown", () => { live.pressed = true; }, true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { live.pressed = false; }, true);
setInterval(() => { if (live.pending) show(); }, 500); // also when what was marked is left
setInterval(show, 60_000); // the time left in the table

// The deadlines of the hit that is open count down by the second, each of an episode's steps for itself.
function countDown(detail) {
  for (const line of detail.querySelectorAll("[data-until]")) {
    const undoUntil = line.dataset.until, left = undoUntil && timeOf(undoUntil) - Date.now();
    if (undoUntil) line.textContent = left > 0 ? `until ${undoUntil}: ${toTheSecond(left)} left` : deadlineText({ undoUntil, left, passed: true });
  }
}
function toTheSecond(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000), two = (value) => String(value % 60).padStart(2, "0");
  const days = Math.floor(seconds / 86400);
  return `${days ? `${days} d ` : ""}${Math.floor(seconds / 3600) % 24}:${two(Math.floor(seconds / 60))}:${two(seconds)}`;
}
setInterval(() => { if (at("detail").open) countDown(at("detail")); }, 1000);

onDetail.push((hit, detail) => {
  const first = detail.querySelector("h3") ?? null;
  detail.insertBefore(actions(hit), first);
  detail.append(...alertUndo(hit), record(hit));
  countDown(detail);
});
onOpen.push((hit) => stories.delete(hit.ref)); // of an alert, and what became of its other hits, no row says all
document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });
drawChecks();
drawStatus();
poll();
