"""The members of rules, cases and exceptions, each with its meaning: JSON Schemas, and what our own checks go by.

Editors get these schemas as files (docs/schema/, `trailbell rules schema`); rulebook/misfits.py holds rules to them.
Sigma's own members: https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-rules-specification.md
"""

from collections.abc import Mapping
from typing import Any

from trailbell.engine.correlation import CorrelationType
from trailbell.engine.rulebook import SHORT_TITLE


Schema = Mapping[str, Any]

UNDONE_WORDS = ("undone", "replaced", "stopped", "answered")
LEVELS = ("informational", "low", "medium", "high", "critical")

_DIALECT = "http://json-schema.org/draft-07/schema#"
_OWN_MEMBERS = "^x_"
"""Members that begin like this are the author's own: nothing reads them, nothing complains."""


def _text(meaning: str, **more: Any) -> Schema:
    return {"type": "string", "description": meaning, **more}


def _texts(meaning: str) -> Schema:
    return {"type": "array", "items": {"type": "string"}, "description": meaning}


def _map(meaning: str, members: Mapping[str, Schema], required: tuple[str, ...] = (), **more: Any) -> Schema:
    """A map that takes these members only, and those of the author's own."""
    return {
        "type": "object",
        "description": meaning,
        "properties": members,
        "required": list(required),
        "patternProperties": {_OWN_MEMBERS: {}},
        "additionalProperties": False,
        **more,
    }


def _open_map(meaning: str, members: Mapping[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """A map that takes any other members as well: selections, a record."""
    return {"type": "object", "description": meaning, "properties": members, "required": list(required)}


def _date(meaning: str, pattern: str = r"^[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}") -> Schema:
    return _text(meaning, pattern=pattern)


_CONDITION: Schema = {
    "type": ["string", "array"],
    "items": {"type": "string"},
    "description": "Which selections must match: `selection`, `a and not b`, `1 of a*`.",
}

_LOG_SOURCE = _map(
    "Whose events these are: product aws, service cloudtrail.",
    {
        "product": _text("aws"),
        "service": _text("cloudtrail"),
        "category": _text("Not used for CloudTrail."),
        "definition": _text("What must be switched on for the events to exist."),
    },
)

_UNDO = _map(
    "How the act is undone, as the mail shows it.",
    {
        "steps": {
            "type": "array",
            "items": {"type": ["string", "object"]},
            "description": "Commands ready to paste; {places} are filled from the record. Under the name of an event "
            "(or of several, with commas) those that are for it alone.",
        },
        "until": _text("Path of the record's member with the deadline, such as responseElements.deletionDate."),
        "within": {
            "type": "integer",
            "minimum": 0,
            "description": "Days after the event during which the undo works, if AWS defines them.",
        },
        "note": _text("What to know about the undo, or why there is none."),
        "notes": {"type": "object", "description": "The same for some events alone: their names, and the text."},
    },
)

_PATHS: Schema = {"type": ["string", "array"], "items": {"type": "string"}}

_CONDITIONS: Schema = {"type": ["object", "array"], "items": {"type": "object"}}

_UNDONE_BY: Schema = {
    "type": "array",
    "description": "The later calls that undo the act: they close its hit, and who was notified is told so.",
    "items": _map(
        "One way of undoing it.",
        {
            "event": {**_PATHS, "description": "Name of the later call, or several."},
            "source": {**_PATHS, "description": "Its event source, or several, where that is not the rule's own."},
            "link": {**_PATHS, "description": "Path by which both records name the same thing: resource.key; + joins."},
            "act": {**_PATHS, "description": "Path in the act's record; of several the first that has a value."},
            "undo": {**_PATHS, "description": "Path in the later record, with the same value."},
            "type": _text(
                "What the first part of the paths names, as ARNs say it (ssm:parameter), where a record may name it "
                "without its ARN.",
                pattern="^[a-z0-9-]+:[a-z0-9-]+$",
            ),
            "fields": _open_map("What else the later record must have.", {}),
            "unless": {
                **_CONDITIONS,
                "description": "What the later record must not have: all of a map, or any map of a list.",
            },
            "of": {**_PATHS, "description": "Which of the rule's events it is about; all if not given."},
            "when": {
                **_CONDITIONS,
                "description": "What the act's record must have, where it is not about every act: all of a map, or any"
                " map of a list.",
            },
            "word": _text("What becomes of the act.", enum=list(UNDONE_WORDS)),
            "anywhere": {"type": "boolean", "description": "Whether it may be made in another Region."},
            "note": _text("What is left to know once that call was made. In the mail that follows.", minLength=1),
        },
        ("event",),
    ),
}

_FIRST_SEEN = _map(
    "What is new of it goes one level up, what is habitual one level down, and the mail says so.",
    {
        "key": _texts("Fields whose values are seen together: facts.actor.key, eventName, awsRegion."),
        "days": {"type": "integer", "minimum": 1, "maximum": 365, "description": "Not seen in so many days: new (90)."},
        "habit_days": {
            "type": "integer",
            "minimum": 0,
            "maximum": 30,
            "description": "Seen on so many of the 30 days before: habitual (20); 0 for never.",
        },
    },
    ("key",),
)

_ABOUT: Mapping[str, Schema] = {
    "title": _text("What happened, in at most 50 characters: headline of the mail."),
    "id": _text("A UUID, which stays the same for ever: hits are known by it.", pattern="^[0-9a-fA-F-]{36}$"),
    "name": _text("What hits are filtered by: the file's stem without aws_, with hyphens."),
    "status": _text(
        "How far the rule has been tried.", enum=["stable", "test", "experimental", "deprecated", "unsupported"]
    ),
    "description": _text("What it means and what may come next, for the person woken up at night. In the mail."),
    "license": _text("SPDX identifier of the rule's licence."),
    "author": _text("Who wrote it. In the alert."),
    "references": _texts("Addresses of the pages that the rule relies on."),
    "date": _date("A date such as 2026-11-21: when it was written."),
    "modified": _date("A date such as 2026-11-21: when it was last changed."),
    "tags": _texts("ATT&CK techniques and the like, such as attack.t1489."),
}

_REPORTED: Mapping[str, Schema] = {
    "falsepositives": _texts("When it is harmless. In the mail."),
    "level": _text("For an ordinary actor: root is reported one level higher.", enum=list(LEVELS)),
    "short": _text(
        "The title for the subject of the mail, where it competes with resource and actor; the title itself "
        "if that is short enough.",
        minLength=1,
        maxLength=SHORT_TITLE,
    ),
    "check": _texts("What to check first, in order. In the mail."),
    "precedence": {
        "type": "integer",
        "description": "Of the rules a record matches the one with the highest precedence makes the hit.",
    },
    "action": _text("Sigma's templates of several documents.", enum=["global", "repeat", "reset"]),
}

RULE: Schema = {
    "$schema": _DIALECT,
    "title": "A trailbell rule: Sigma 2.1 with members of trailbell's own",
    **_map(
        "One rule.",
        {
            **_ABOUT,
            "related": {"type": "array", "items": {"type": "object"}, "description": "Rules this one comes from."},
            "taxonomy": _text("Sigma's taxonomy of field names."),
            "scope": _texts("Sigma's scope."),
            "fields": _texts("Fields that an analyst wants to see."),
            "logsource": _LOG_SOURCE,
            "detection": _open_map(
                "Selections of a record's fields, and the condition.", {"condition": _CONDITION}, ("condition",)
            ),
            **_REPORTED,
            "first_seen": _FIRST_SEEN,
            "generate": {
                "type": "boolean",
                "description": "false: the rule makes no hits, and is there for correlations to count. Its level is"
                " then informational.",
            },
            "shows": {
                "type": "object",
                "description": "What of a record tells what was asked for: label to path, or to several paths of which "
                "the first that has a value counts. In the mail.",
            },
            "undo": _UNDO,
            "undone_by": _UNDONE_BY,
            "once_per_day": {
                "type": ["boolean", "string"],
                "enum": [True, False, "actor"],
                "description": "Whether all records of an operation in an account and day, or of an actor, too, "
                "make only one hit.",
            },
            "regression_tests_path": _text("SigmaHQ's; not used here."),
            "simulation": {"description": "SigmaHQ's; not used here."},
        },
        ("title", "logsource", "detection", "level"),
    ),
}

_GENERATE: Schema = {
    "type": "boolean",
    "description": "Whether the rules that it counts also report alone; false if not given, as Sigma has it.",
}

CORRELATION: Schema = {
    "$schema": _DIALECT,
    "title": "A trailbell correlation: Sigma 2.1 with members of trailbell's own",
    **_map(
        "One correlation.",
        {
            **_ABOUT,
            "related": {"type": "array", "items": {"type": "object"}, "description": "Rules this one comes from."},
            **_REPORTED,
            "generate": _GENERATE,
            "undo": _UNDO,
            "correlation": _map(
                "What is counted, by what it belongs together, and from how many on it is reported.",
                {
                    "type": _text("What is counted.", enum=[one.value for one in CorrelationType]),
                    "rules": {
                        **_PATHS,
                        "description": "Names or ids of the rules that it counts; in order, if that matters.",
                    },
                    "group-by": {**_PATHS, "description": "Fields whose values events must share, or aliases."},
                    "timespan": _text(
                        "The longest time from the first to the last event, such as 10m.", pattern="^[0-9]{1,9}[smhd]$"
                    ),
                    "condition": _map(
                        "From how many on: gte: 5.",
                        {
                            "gte": {"type": "integer", "minimum": 1, "description": "At least so many."},
                            "gt": {"type": "integer", "minimum": 0, "description": "More than so many."},
                            "field": {**_PATHS, "description": "Of value_count: the field whose values are counted."},
                        },
                    ),
                    "aliases": _open_map("A name for what the rules call differently: alias to rule to field.", {}),
                    "generate": _GENERATE,
                },
                ("type", "rules", "group-by", "timespan"),
            ),
        },
        ("title", "correlation", "level"),
    ),
}

_RECORD = _open_map(
    "The members in which the record differs from an ordinary call by the role Admin; maps are merged.",
    {
        "eventSource": {"description": "The service, such as kms.amazonaws.com."},
        "eventName": {"description": "The operation, such as DisableKey."},
        "errorCode": {"description": "Why it failed, such as AccessDenied; a success has none."},
        "requestParameters": {"description": "What was asked for."},
        "responseElements": {"description": "What AWS answered."},
    },
)

_UNDO_OF_CASE: Schema = {
    "type": "array",
    "description": "Later records, and what each makes of the act.",
    "items": _map(
        "One later record.",
        {
            "name": _text("What it shows, where that is not plain."),
            "record": _open_map(
                "In what it differs from an ordinary call by the role Admin: its source, Region, account and resources"
                " are those of the act.",
                _RECORD["properties"],
            ),
            "undone": {
                "type": ["boolean", "string"],
                "enum": [True, False, *UNDONE_WORDS],
                "description": "Whether it undoes the act, or the word for what becomes of it.",
            },
        },
        ("record", "undone"),
    ),
}

CASE: Schema = _map(
    "One record, and whether the rule matches it.",
    {
        "name": _text("What the record shows, as a sentence.", minLength=1),
        "match": {"type": "boolean", "description": "Whether the rule must match."},
        "record": _RECORD,
        "undo": _texts("The undo steps of the hit, filled, exactly."),
        "resources": _texts("The resources of the hit, exactly."),
        "undone_by": _UNDO_OF_CASE,
    },
    ("name", "match", "record"),
)

CASES: Schema = {
    "$schema": _DIALECT,
    "title": "The cases of a trailbell rule",
    "type": "array",
    "minItems": 1,
    "items": CASE,
}

_TIME: Schema = {"type": ["integer", "string"], "description": "Seconds, as `at` counts them, or a time with Z."}

CORRELATION_CASES: Schema = {
    "$schema": _DIALECT,
    "title": "The cases of a trailbell correlation",
    "type": "array",
    "minItems": 1,
    "items": _map(
        "Some records, and the episodes that they make.",
        {
            "name": _text("What the records show, as a sentence.", minLength=1),
            "record": _open_map("What all records have in common.", _RECORD["properties"]),
            "records": {
                "type": "array",
                "description": "The records, each by what it differs in; their order is that of the file.",
                "items": _open_map(
                    "One record, or several alike.",
                    {
                        "at": {"type": "integer", "description": "Its eventTime: seconds after 09:00:00 of the day."},
                        "times": {
                            "type": "integer",
                            "minimum": 1,
                            "description": "How many there are of it; {n} in a text is the number of each, from 1.",
                        },
                        "every": {"type": "integer", "minimum": 0, "description": "Seconds from one to the next."},
                        **_RECORD["properties"],
                    },
                ),
            },
            "episodes": {
                "type": "array",
                "description": "The episodes that they make, exactly these; [] for none.",
                "items": _map(
                    "One episode.",
                    {
                        "group": {"type": "object", "description": "Its group: field or alias to text."},
                        "indices": {
                            "type": "array",
                            "items": {"type": "integer"},
                            "description": "Which records, from 0, are its members.",
                        },
                        "count": {"type": "integer", "minimum": 1, "description": "How many records are its members."},
                        "first": _TIME,
                        "last": _TIME,
                    },
                    ("group",),
                ),
            },
        },
        ("name", "records", "episodes"),
    ),
}

EXCEPTION: Schema = {
    "$schema": _DIALECT,
    "title": "A trailbell exception: a Sigma filter with owner, reason and expires",
    **_map(
        "One exception.",
        {
            **_ABOUT,
            "logsource": _LOG_SOURCE,
            "level": _text("Not used.", enum=list(LEVELS)),
            "owner": _text("Who answers for it.", minLength=1),
            "reason": _text("Why these calls are expected.", minLength=1),
            "expires": _date(
                "A date such as 2026-12-31: the last day (UTC) on which it works.", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
            ),
            "filter": _open_map(
                "The rules it is about, selections, and a condition that says what still alerts.",
                {
                    "rules": {
                        "type": ["string", "array"],
                        "items": {"type": "string"},
                        "description": "Names or ids of rules, or `any`.",
                    },
                    "condition": {**_CONDITION, "description": "What still alerts: `not selection`."},
                },
                ("rules", "condition"),
            ),
        },
        ("title", "logsource", "owner", "reason", "expires", "filter"),
    ),
}

SCHEMAS: Mapping[str, Schema] = {
    "rule": RULE,
    "cases": CASES,
    "exception": EXCEPTION,
    "correlation": CORRELATION,
    "correlation-cases": CORRELATION_CASES,
}
"""By name; the file is docs/schema/<name>-1.json."""

FACTS = tuple(
    f"facts.{name}"
    for name in (
        *("outcome", "direct", "resources", "operation", "parameters_decrypted", "request_omitted", "caller_external"),
        *("document.owner", "document.names", "document.harmless", "document.role", "document.all_targets"),
        *("actor.kind", "actor.key", "actor.arn", "actor.account", "actor.console", "actor.role", "actor.via"),
        *("policy.given", "policy.parsed", "policy.public", "policy.accounts", "policy.account_lost", "policy.denies"),
        *(
            "address_block",
            "external_accounts",
            "external_keys",
            "key_external",
            "grant.unconstrained",
            "would_be_high",
        ),
        *("selectors.given", "selectors.parsed", "selectors.management", "selectors.writes", "selectors.kms"),
        *("selectors.reads", "selectors.data", "selectors.missing"),
    )
)
"""Every fact that rules can ask for (facts/facts.py); rules/README.md explains each, and a test compares."""
