"""The actor is who did it, summarised from `userIdentity` into one line for a reader and one key for grouping.

CloudTrail's three questions are answered: root or IAM user; temporary credentials of a role or a
federated user; another AWS service.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

import hashlib
import json
import marshal
import re
from collections.abc import Mapping
from typing import Any

from trailbell.cloudtrail.record import mapping, text
from trailbell.facts.person import IDENTITY_CENTER_PREFIX, permission_set, person_key, web_identity
from trailbell.lazy_dataclass import dataclass
from trailbell.text.lazy_pattern import lazy_pattern


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it.

    kind:       root, iam-user, role, identity-center, ec2, lambda, federated, account, service or unknown.
    text:       one line for a reader.
    key:        groups what one person or one role does. Where an identity provider vouches for the person (IAM
                Identity Center, web identity, a source identity) it is the person; else the role, whatever its
                sessions are called, for machines name a new one each time.
    role:       ARN of the role whose session it is, "" if it is none: the same for all persons of a permission set.
    arn:        the principal as recorded, "" if none.
    account:    the account the principal belongs to, "" if none.
    name:       short form for a subject line (alice@example.com, ci, role/Deploy).
    via:        the AWS service the call came through (invokedBy), "" if it came directly.
    credential: long-term, temporary or "" (the access key's kind).
    key_hint:   last four characters of the access key id; more is never kept.
    session:    when the session was created (ISO 8601), "" if there is none.
    mfa:        true or false for root and IAM users with a session; "" where CloudTrail cannot know.
    console:    the call came from the AWS console.
    """

    kind: str
    text: str
    key: str
    arn: str = ""
    account: str = ""
    name: str = ""
    via: str = ""
    credential: str = ""
    key_hint: str = ""
    session: str = ""
    mfa: str = ""
    console: bool = False
    role: str = ""


_ACTORS = 512
_MAX_REMEMBERED = 4096  # bytes of an identity
_AS_TEXT = 2  # the version of marshal's form that is the same for the same values
_remembered: dict[tuple[bytes, str, bool], Actor] = {}

# IAM's longest ARN: a path of 512 and a name of 64 characters make it fit; only forged records do not.
_MAX_TEXT = 1024

_FUNCTION = lazy_pattern(
    r"arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:([A-Za-z0-9_-]{1,140})(?::[^:]*)?", re.ASCII
)


def actor_of(fields: Mapping[str, Any]) -> Actor:
    """Summarise a record's userIdentity. Total: an empty or odd identity becomes kind "unknown"."""
    identity = mapping(fields, "userIdentity")
    recipient, console = text(fields, "recipientAccountId"), fields.get("sessionCredentialFromConsole") == "true"
    try:  # few actors make most calls
        written = marshal.dumps(identity, _AS_TEXT)  # type: ignore[arg-type] # JSON's objects are dicts
    except ValueError:  # nested too deeply
        return _actor(identity, recipient, console)
    if len(written) > _MAX_REMEMBERED:
        return _actor(identity, recipient, console)
    actor = _remembered.get((written, recipient, console))
    if actor is None:
        if len(_remembered) >= _ACTORS:
            _remembered.clear()
        actor = _remembered[written, recipient, console] = _actor(identity, recipient, console)
    return actor


def _actor(identity: Mapping[str, Any], recipient: str, console: bool) -> Actor:
    kind, line, key, name = _who(identity, recipient)
    role = _role_of(identity) if kind not in _ROLELESS else ""
    access_key = text(identity, "accessKeyId")
    attributes = mapping(identity, "sessionContext", "attributes")
    via = text(identity, "invokedBy") if kind != "service" else ""
    return Actor(
        kind=kind,
        text=(line + _additions(identity, via))[:_MAX_TEXT],
        key=_bounded(key),
        arn=text(identity, "arn")[:_MAX_TEXT],
        account=text(identity, "accountId")[:_MAX_TEXT],
        name=name[:_MAX_TEXT],
        via=via[:_MAX_TEXT],
        credential=_credential(access_key),
        key_hint=access_key[-4:] if len(access_key) >= 16 else "",
        session=text(attributes, "creationDate")[:_MAX_TEXT],
        # A role's session says "false" also when the person behind it used MFA at the identity provider.
        mfa=text(attributes, "mfaAuthenticated")[:_MAX_TEXT] if kind in ("root", "iam-user") else "",
        console=console,
        role=role[:_MAX_TEXT],
    )


def possible_kinds(identity_type: str) -> tuple[str, ...]:
    """The kinds of actor that a userIdentity of this type can turn out to be."""
    return _KINDS.get(identity_type, ("unknown",))


KIND_PATHS = ("userIdentity.type", "userIdentity.arn", "userIdentity.sessionContext.sessionIssuer")
"""What `kinds_by_json` is given: two texts, and the JSON of the session's context."""

_CENTER = IDENTITY_CENTER_PREFIX.encode()


def kinds_by_json(identity_type: Any, arn: Any, context: Any) -> tuple[str, ...] | None:
    """The same by the role's name as well, from JSON, b"" where there is none; None for any.

    A context is parsed only if the name of a role that Identity Center has made may stand in it.
    """
    if type(identity_type) is not str:
        return None if identity_type is None or identity_type else possible_kinds("")
    if identity_type not in _ROLES:
        return possible_kinds(identity_type)
    if type(context) is not bytes:
        return None
    arn = arn if type(arn) is str else ""
    if not (_CENTER in context or b"\\" in context or IDENTITY_CENTER_PREFIX in arn):
        return _NOT_BY_CENTER[identity_type]
    try:
        found = json.loads(context or b"null")
    except (ValueError, RecursionError):
        return None
    return kinds_by_role(identity_type, arn, text(mapping({"context": found}, "context", "sessionIssuer"), "userName"))


def kinds_by_role(identity_type: str, arn: str, issuer: str) -> tuple[str, ...]:
    """The same by the role's name as well: whether Identity Center has made it."""
    kinds = possible_kinds(identity_type)
    if identity_type not in _ROLES:
        return kinds
    center = "identity-center"
    return (center,) if permission_set(_role_name(arn, issuer)) else tuple(kind for kind in kinds if kind != center)


_ROLES = ("AssumedRole", "Role")
_ROLELESS = ("root", "iam-user", "account", "service")

_KINDS = {
    "Root": ("root",),
    "IAMUser": ("iam-user",),
    "AssumedRole": ("role", "identity-center", "ec2", "lambda", "federated"),
    "Role": ("role", "identity-center", "ec2", "lambda", "federated"),
    "FederatedUser": ("federated",),
    "SAMLUser": ("federated",),
    "WebIdentityUser": ("federated",),
    "IdentityCenterUser": ("identity-center",),
    "AWSAccount": ("account",),
    "AWSService": ("service",),
    "": ("service", "unknown"),
}
_NOT_BY_CENTER = {name: tuple(kind for kind in _KINDS[name] if kind != "identity-center") for name in _ROLES}


def _bounded(key: str) -> str:
    """The key, or what stands for it: two actors must not become one by being cut."""
    if len(key) <= _MAX_TEXT:
        return key
    return "sha256-" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _who(identity: Mapping[str, Any], recipient: str) -> tuple[str, str, str, str]:
    """(kind, line, key, short name) by userIdentity.type."""
    arn, account = text(identity, "arn"), text(identity, "accountId")
    principal = text(identity, "principalId")
    match text(identity, "type"):
        case "Root":
            assumed = text(identity, "sessionContext", "assumedRoot") == "true"
            line = f"root user of {account}" + (" (AssumeRoot session)" if assumed else "")
            return "root", line, f"root:{account}", "root"
        case "IAMUser":
            user = text(identity, "userName") or arn.rpartition("/")[2] or principal
            return "iam-user", f"IAM user {user}", arn or principal, user
        case "AssumedRole" | "Role":
            return _role(identity, arn, principal)
        case "FederatedUser" | "SAMLUser" | "WebIdentityUser":
            return _federated(identity, arn, principal)
        case "IdentityCenterUser":
            user = text(identity, "onBehalfOf", "userId") or principal
            return "identity-center", f"Identity Center user {user}", f"idc:{user}", user
        case "AWSAccount":
            foreign = " [other account]" if account and account != recipient else ""
            line = f"principal {principal or 'unknown'} of account {account}{foreign}"
            return "account", line, principal or account, account
        case "AWSService" | "":
            return _service(identity, arn, principal)
        case _:
            return _unknown(identity, arn, principal)


def _role(identity: Mapping[str, Any], arn: str, principal: str) -> tuple[str, str, str, str]:
    issuer = mapping(identity, "sessionContext", "sessionIssuer")
    session = arn.rpartition("/")[2] or principal.rpartition(":")[2]
    role = _role_name(arn, text(issuer, "userName"))
    key = person_key(identity, role, session) or _role_of(identity) or principal.partition(":")[0]
    permissions = permission_set(role)
    if permissions:
        line = f"{session} (Identity Center, permission set {permissions})"
        return "identity-center", line, key, session
    if re.fullmatch(r"i-[0-9a-f]{8,17}", session):
        return "ec2", f"EC2 instance {session} (role {role})", key, session
    function = _lambda_function(identity)
    if function:
        return "lambda", f"Lambda function {function} (role {role})", key, function
    provider, subject = web_identity(identity)
    if provider:
        person = subject or session
        return "federated", f"federated user {person} via {provider} (role {role}, session {session})", key, person
    return "role", f"role {role}, session {session}", key, f"role/{role}"


def _role_name(arn: str, issuer: str) -> str:
    """A role's name, by the issuer of its session, else by the session's ARN."""
    return issuer or (arn.split("/")[1] if arn.count("/") >= 2 else "unknown role")


def _role_of(identity: Mapping[str, Any]) -> str:
    """The ARN of the role whose session it is, "" if it is none."""
    issuer = mapping(identity, "sessionContext", "sessionIssuer")
    by_issuer, arn = text(issuer, "arn"), text(identity, "arn")
    if ":role/" in by_issuer:
        return by_issuer
    return arn if ":role/" in arn else _role_arn(arn)


def _lambda_function(identity: Mapping[str, Any]) -> str:
    """The Lambda function that the credentials were issued to, by CloudTrail's own word; "" if it says nothing.

    The user agent says so too, but whoever calls can write it.
    """
    if "inScopeOf" not in identity:  # as most
        return ""
    scope = mapping(identity, "inScopeOf")
    for arn in (text(scope, "credentialsIssuedTo"), text(scope, "sourceArn")):
        found = _FUNCTION.fullmatch(arn)
        if found:
            return found[1]
    return ""


def _role_arn(session_arn: str) -> str:
    """The role's ARN from a session's; the role's path is lost in the latter (IAM identifiers, assumed roles)."""
    head, _, tail = session_arn.partition(":assumed-role/")
    role = tail.partition("/")[0]
    return f"{head.replace(':sts:', ':iam:', 1)}:role/{role}" if role else ""


def _federated(identity: Mapping[str, Any], arn: str, principal: str) -> tuple[str, str, str, str]:
    user = text(identity, "userName") or arn.rpartition("/")[2] or principal.rpartition(":")[2]
    provider = text(identity, "identityProvider")
    issuer = text(identity, "sessionContext", "sessionIssuer", "userName")
    by = f" via {provider}" if provider else f" (issued by {issuer})" if issuer else ""
    return "federated", f"federated user {user}{by}", arn or principal or f"{provider}:{user}", user


def _service(identity: Mapping[str, Any], arn: str, principal: str) -> tuple[str, str, str, str]:
    service = text(identity, "invokedBy")
    if not service and text(identity, "type") == "":
        return _unknown(identity, arn, principal)
    if service.startswith("AWS Internal") or not service:
        return "service", "AWS itself (AWS Internal)", "svc:AWS Internal", "AWS"
    return "service", f"AWS service {service}", f"svc:{service}", service


def _unknown(identity: Mapping[str, Any], arn: str, principal: str) -> tuple[str, str, str, str]:
    """Unknown, Directory, and types that AWS may add: by whatever name it has."""
    user, account = text(identity, "userName"), text(identity, "accountId")
    key = arn or ":".join(filter(None, dict.fromkeys((principal, user))))
    known = user or arn or principal or text(identity, "accessKeyId")[-4:] or account
    what = "directory user" if text(identity, "type") == "Directory" else "unknown principal"
    of = f" of account {account}" if user and account else ""
    return "unknown", f"{what} {known}{of}".rstrip(), key or known or "unknown", known or "unknown"


_ADDING = frozenset(("inScopeOf", "onBehalfOf", "invokedByDelegate"))


def _additions(identity: Mapping[str, Any], via: str) -> str:
    """What the identity adds beside the principal: a service in between, a user or workload behind it."""
    named = text(identity, "sessionContext", "sourceIdentity")
    if not (via or named) and _ADDING.isdisjoint(identity):  # as most
        return ""
    parts = []
    if via:
        parts.append(f"through {via}")
    source = text(identity, "inScopeOf", "sourceArn")
    if source:
        parts.append(f"credentials issued to {source}")
    user = text(identity, "onBehalfOf", "userId")
    if user and text(identity, "type") != "IdentityCenterUser":
        parts.append(f"on behalf of Identity Center user {user}")
    delegate = text(identity, "invokedByDelegate", "accountId")
    if delegate:
        parts.append(f"delegated to product provider {delegate}")
    if named:
        parts.append(f"source identity {named}")
    return "".join(f", {part}" for part in parts)


def _credential(access_key: str) -> str:
    """Long-term keys begin with AKIA, temporary ones with ASIA (IAM identifiers, unique ID prefixes)."""
    return {"AKIA": "long-term", "ASIA": "temporary"}.get(access_key[:4], "")
