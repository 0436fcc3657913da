"""The parts of an OCSF finding that are objects of their own: who, by which call, on what, and what ATT&CK says."""

import ipaddress
from typing import Any

from trailbell.alerts.attack import TACTICS, tactics, techniques
from trailbell.alerts.finding import named
from trailbell.facts.actor import Actor
from trailbell.hits.hit import Hit
from trailbell.text.resource_name import short_resource


# Kinds of actors (facts/actor.py) as OCSF numbers users; 99 goes with the kind's own word.
_USERS = {
    "root": (2, "Admin"),
    "iam-user": (1, "User"),
    "identity-center": (1, "User"),
    "federated": (1, "User"),
    "service": (4, "Service"),
    "unknown": (0, "Unknown"),
}
_TARGET, _RELATED = (1, "Target"), (4, "Related")


def evidence(hit: Hit) -> dict[str, Any]:
    """The record that the finding is of: who called what from where, and its place."""
    place = {"bucket": hit.place.bucket, "key": hit.place.key, "index": hit.place.index}
    return {
        "uid": hit.event_id,
        "actor": _actor(hit.actor),
        "api": api(hit),
        "src_endpoint": _source(hit.source_ip),
        "http_request": {"user_agent": hit.user_agent},
        "data": {"eventID": hit.event_id, "eventTime": hit.event_time, **({} if hit.is_finding else place)},
    }


def api(hit: Hit) -> dict[str, Any]:
    """The call."""
    return {
        "operation": hit.event_name,
        "service": {"name": hit.event_source},
        "request": {"uid": hit.request_id} if hit.request_id else {},
        "response": {"error": hit.error_code, "error_message": hit.error_message},
    }


def resources(hit: Hit) -> list[dict[str, Any]]:
    """The resources of a hit; those that the call acted upon are its targets."""
    return [_resource(name, hit) for name in hit.resources]


def attacks(hit: Hit) -> list[dict[str, Any]]:
    """Each technique and each tactic by itself: tags do not say which belong together."""
    found = [_technique(uid) for uid in techniques(hit.tags)]
    named_tactics = [TACTICS[slug] for slug in tactics(hit.tags)]
    return [*found, *({"tactic": {"uid": uid, "name": name}} for uid, name in named_tactics)]


def _technique(uid: str) -> dict[str, Any]:
    parent, dot, _ = uid.partition(".")
    technique = {"technique": {"uid": parent, "src_url": f"https://attack.mitre.org/techniques/{parent}/"}}
    address = f"https://attack.mitre.org/techniques/{uid.replace('.', '/')}/"
    return {**technique, "sub_technique": {"uid": uid, "src_url": address}} if dot else technique


def _actor(actor: Actor) -> dict[str, Any]:
    type_id, word = _USERS.get(actor.kind, (99, actor.kind))
    session: dict[str, Any] = {"issuer": actor.role}
    if actor.mfa in ("true", "false"):
        session["is_mfa"] = actor.mfa == "true"
    return {
        "user": {
            "uid": actor.arn or actor.key,
            "name": actor.name or actor.text,
            "type_id": type_id,
            "type": word,
            "account": {"uid": actor.account, "type_id": 10, "type": "AWS Account"} if actor.account else {},
        },
        "session": session,
        "app_name": actor.via,
    }


def _source(address: str) -> dict[str, Any]:
    """An address, or the service that called."""
    try:
        return {"ip": str(ipaddress.ip_address(address))}
    except ValueError:
        return {"svc_name": address} if address else {}


def _resource(name: str, hit: Hit) -> dict[str, Any]:
    read = named(name)
    role_id, role = _TARGET if name in hit.main_resources else _RELATED
    return {
        "uid": name,
        "name": short_resource(name),
        "type": read.type,
        "cloud_partition": read.partition or hit.partition,
        "region": read.region,
        "owner": {"account": {"uid": read.account, "type_id": 10, "type": "AWS Account"}} if read.account else {},
        "role_id": role_id,
        "role": role,
    }
