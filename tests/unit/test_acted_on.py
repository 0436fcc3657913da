"""The resources that a call acted upon are told from those that merely occur in its record."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from trailbell.alerts.mail import mail_text
from trailbell.alerts.subject import mail_subject
from trailbell.cloudtrail.record import make_record
from trailbell.facts.acted_on import _type, acted_on
from trailbell.hits.hit import Hit, hit_document, hit_from_document


def arn(rest: str, service: str = "x") -> str:
    return f"arn:aws:{service}:us-east-1:111122223333:{rest}"


BACKUP, CLUSTER, KEY, ALIAS = arn("backup/b"), arn("cluster/c"), arn("key/k"), arn("alias/a")
NODE, DOCUMENT, SHARE = arn("instance/i-1"), arn("document/d"), arn("resource-share/s")


@pytest.mark.parametrize(
    ("service", "event", "resources", "expected"),
    [
        ("cloudhsm", "DeleteBackup", (BACKUP, CLUSTER), (BACKUP,)),
        ("cloudhsm", "CreateCluster", (CLUSTER, BACKUP), (CLUSTER,)),
        ("cloudhsm", "DeleteHsm", (CLUSTER, "hsm-w4tn6pkeyza"), ("hsm-w4tn6pkeyza",)),
        ("kms", "UpdateAlias", (KEY, ALIAS), (ALIAS,)),
        ("kms", "UpdateCustomKeyStore", ("cks-4f8a2c6e0b1d3957a", KEY), ("cks-4f8a2c6e0b1d3957a",)),
        ("kms", "ReEncrypt", (KEY, arn("key/k2")), (KEY, arn("key/k2"))),
        ("ssm", "SendCommand", (NODE, DOCUMENT), (NODE,)),
        ("ssm", "SendCommand", (DOCUMENT,), (DOCUMENT,)),
        ("ssm", "StartSession", (NODE, arn("session/alice-1")), (NODE,)),
        ("ssm", "ModifyDocumentPermission", (DOCUMENT,), (DOCUMENT,)),
        ("ram", "CreateResourceShare", (KEY, SHARE), (KEY,)),
        ("iam", "AttachRolePolicy", (arn("role/r"), arn("policy/p")), (arn("role/r"),)),
        (
            "ssm-contacts",
            "UpdateContactChannel",
            (arn("contact/c"), arn("contact-channel/c/1")),
            (arn("contact-channel/c/1"),),
        ),
        ("ssm", "CreateAssociationBatch", (DOCUMENT, arn("document/e")), (DOCUMENT, arn("document/e"))),
        ("kms", "DisableKey", (), ()),
    ],
)
def test_operation_says_what_it_acts_upon(
    service: str, event: str, resources: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """Parents, documents, sessions and shares occur; they are not what was done something to."""
    record = make_record({"eventSource": f"{service}.amazonaws.com", "eventName": event}, 0)

    assert acted_on(record, resources) == expected


@pytest.mark.parametrize(
    "resource",
    [
        "arn:a/b:c:d:e:f",
        "arn:aws:kms:r:1/x:key/a",
        "arn:aws:kms:r:1:a-Key/b/c",
        "arn:aws:sns:r:1:topic",
        "arn/a",
        "x:/y",
    ],
)
def test_the_type_stands_before_the_first_slash_behind_the_account(resource: str) -> None:
    """It is looked up by what stands before the first slash of all, which must not change it."""
    parts = resource.split(":", 5)
    kind, slash, _ = parts[5].partition("/") if len(parts) == 6 else ("", "", "")

    assert _type(resource) == (kind.replace("-", "").lower() if slash else "")


def test_headline_and_subject_count_them_and_the_list_has_all(given_hit: Callable[..., Hit]) -> None:
    """One backup was deleted: "backup X and 1 more" sends the reader looking for a second."""
    hit = given_hit(
        eventSource="cloudhsm.amazonaws.com",
        eventName="DeleteBackup",
        resources=[{"ARN": CLUSTER.replace(":x:", ":cloudhsm:")}, {"ARN": BACKUP.replace(":x:", ":cloudhsm:")}],
    )

    text = mail_text([hit])

    assert "on CloudHSM backup b in account" in " ".join(text.split())
    assert ": b by" in mail_subject([hit])
    assert "Resources (2)" in text
    assert len(hit.resources) == 2


def test_member_survives_json_and_its_absence_means_all(given_hit: Callable[..., Hit]) -> None:
    """Rows of versions before have no such member."""
    hit = replace(given_hit(), acted_on=("a",), shown=(("window", "7"), ("to", "x")))

    assert hit_from_document(hit_document(hit)) == hit
    assert hit_document(hit)["shown"] == [{"label": "window", "value": "7"}, {"label": "to", "value": "x"}]
    old = hit_document(given_hit())
    assert "actedOn" not in old
    assert "shown" not in old
    assert hit_from_document(old).main_resources == given_hit().resources
