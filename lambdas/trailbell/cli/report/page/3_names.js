// What actors, accounts and resources are called: a name, and what tells it from others of the same name.
const ACTORS = {
  root: "root user", "iam-user": "IAM user", role: "role", "identity-center": "Identity Center", ec2: "EC2 instance", lambda: "Lambda function",
  federated: "federated user", account: "principal of another account", service: "AWS service", unknown: "unknown principal",
};

function namesOf(hits) {
  const accounts = new Map(), actors = new Map(), resources = new Map();
  for (const hit of hits) {
    if (!accounts.get(hit.account)?.detail) accounts.set(hit.account, { name: hit.accountName || hit.account, detail: hit.accountName ? hit.account : "" });
  }
  const account = (id) => (accounts.get(id)?.detail ? `${accounts.get(id).name} ${id}` : id);
  for (const hit of hits) {
    if (!actors.has(hit.actorKey)) actors.set(hit.actorKey, { name: hit.name || hit.actor, detail: joined([...kindAndRole(hit), account(hit.actorAccount)]) });
    hit.things.forEach((thing, at) => {
      if (!resources.has(thing)) resources.set(thing, { name: hit.resourceNames[at], detail: resourceDetail(hit, at, account) });
    });
  }
  return { accounts, actors: apart(actors), resources: apart(resources), account };
}
// Two that would read alike have their whole key besides, which differs.
function apart(names) {
  const seen = new Map();
  for (const { name, detail } of names.values()) seen.set(`${name}\n${detail}`, (seen.get(`${name}\n${detail}`) ?? 0) + 1);
  for (const [key, one] of names) {
    if (seen.get(`${one.name}\n${one.detail}`) > 1) names.set(key, { name: one.name, detail: joined([one.detail, key]) });
  }
  return names;
}
function joined(parts) { return parts.filter(Boolean).join(" · "); }
function kindAndRole(hit) {
  const role = hit.name.endsWith(hit.actorRole) ? "" : hit.actorRole;
  if (role.startsWith("permission set")) return [role];
  return [hit.name.startsWith("role/") && hit.actorKind === "role" ? "" : ACTORS[hit.actorKind] ?? hit.actorKind, hit.actorKind === "role" || !role ? role : `role ${role}`];
}
function resourceDetail(hit, at, account) {
  const parts = hit.resources[at].split(":"), isArn = hit.resources[at].startsWith("arn:");
  return joined([hit.resourceKinds[at], account(isArn ? parts[4] : hit.account), isArn ? parts[3] : hit.region]);
}
function nameOf(kind, value) { return (kind && page.names[kind].get(value)) || { name: value, detail: "" }; }
function wholeName({ name, detail }) { return joined([name, detail]); }
// In one hit, the session and a foreign account, too: the hit's own account stands beside.
function whoDetail(hit) {
  const session = hit.sessionName && !hit.name.includes(hit.sessionName) ? `session ${hit.sessionName}` : "";
  const foreign = hit.actorAccount && hit.actorAccount !== hit.account ? `of ${page.names.account(hit.actorAccount)}` : "";
  return joined([...kindAndRole(hit), session, foreign]);
}
function whatDetail(hit) {
  const parts = (hit.resources[0] ?? "").split(":"), isArn = parts[0] === "arn";
  const foreign = isArn && parts[4] && parts[4] !== hit.account ? page.names.account(parts[4]) : "";
  return joined([hit.resourceKinds[0], foreign, isArn && parts[3] && parts[3] !== hit.region ? parts[3] : ""]);
}
