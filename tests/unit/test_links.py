"""Links lead to the right partition, region and page, and never where a record wants them to."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from trailbell.alerts.links import links_of, runbook_link
from trailbell.hits.hit import Hit


GivenHit = Callable[..., Hit]
ACCOUNT = "111122223333"


@pytest.mark.parametrize(
    ("region", "partition", "host"),
    [
        ("eu-central-1", "aws", "eu-central-1.console.aws.amazon.com"),
        ("cn-north-1", "aws-cn", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "aws-us-gov", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("eusc-de-east-1", "aws-eusc", "eusc-de-east-1.console.amazonaws-eusc.eu"),
        ("us-iso-east-1", "aws-iso", "us-iso-east-1.console.c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "us-isob-east-1.console.sc2s.sgov.gov"),
    ],
)
def test_console_is_the_partitions_own(given_hit: GivenHit, region: str, partition: str, host: str) -> None:
    """A link into the wrong partition asks for a password one does not have."""
    key = f"arn:{partition}:kms:{region}:{ACCOUNT}:key/k"
    role = f"arn:{partition}:iam::{ACCOUNT}:role/path/Admin"
    hit = replace(given_hit(), region=region, partition=partition, resources=(key,))

    links = links_of(replace(hit, actor=replace(hit.actor, key=role)))

    assert links["event"] == f"https://{host}/cloudtrailv2/home?region={region}#/events/{hit.event_id}"
    assert links["key"] == f"https://{host}/kms/home?region={region}#/kms/keys/k"
    assert links["role"] == f"https://{host}/iam/home#/roles/details/Admin?section=revoke_sessions"


@pytest.mark.parametrize(
    ("resource", "label", "path"),
    [
        ("arn:aws:kms:us-east-1:1:alias/a", "keys", "kms/home?region=us-east-1#/kms/keys"),
        ("arn:aws:kms:eu-west-1:1:key/k", "key", "kms/home?region=eu-west-1#/kms/keys/k"),
        ("arn:aws:cloudhsm:us-east-1:1:backup/backup-a", "backups", "cloudhsm/home?region=us-east-1#/backups"),
        ("arn:aws:cloudhsm:us-east-1:1:cluster/cluster-a", "clusters", "cloudhsm/home?region=us-east-1#/clusters"),
        ("arn:aws:ssm:us-east-1:1:document/D", "document", "systems-manager/documents/D/description?region=us-east-1"),
        (
            "arn:aws:ssm:us-east-1:1:parameter/prod/db",
            "parameter",
            "systems-manager/parameters/?region=us-east-1&tab=Table#list_parameter_filters=Name:Contains:prod/db",
        ),
        (
            "arn:aws:ec2:us-east-1:1:instance/i-0",
            "instance",
            "ec2/home?region=us-east-1#InstanceDetails:instanceId=i-0",
        ),
        (
            "arn:aws:ssm:us-east-1:1:managed-instance/mi-0",
            "node",
            "systems-manager/fleet-manager/managed-nodes/mi-0/general?region=us-east-1",
        ),
        (
            "arn:aws:cloudtrail:us-east-1:1:trail/main",
            "trail",
            "cloudtrailv2/home?region=us-east-1#/trails/arn:aws:cloudtrail:us-east-1:1:trail/main",
        ),
        ("arn:aws:s3:::logs", "bucket", "s3/buckets/logs?region=us-east-1"),
        ("arn:aws:s3:::logs/AWSLogs/x", "bucket", "s3/buckets/logs?region=us-east-1"),
        (
            "arn:aws:ssm-contacts:us-east-1:1:contact/c",
            "contacts",
            "systems-manager/incidents/home?region=us-east-1#/contacts",
        ),
        (
            "arn:aws:ssm-incidents::1:response-plan/p",
            "incidents",
            "systems-manager/incidents/home?region=us-east-1#/incidents",
        ),
        ("arn:aws:ram:us-east-1:1:resource-share/s", "shares", "ram/home?region=us-east-1#OwnedResourceShares:"),
    ],
)
def test_every_service_has_its_page(given_hit: GivenHit, resource: str, label: str, path: str) -> None:
    """The resource is looked at first, and in its own region, which may not be the call's."""
    links = links_of(replace(given_hit(), resources=(resource,)))

    region = resource.split(":")[3] or "us-east-1"
    assert links[label] == f"https://{region}.console.aws.amazon.com/{path}"


@pytest.mark.parametrize(
    "resource", ["cks-1", "arn:aws:kms:us-east-1:1:key/" + "x" * 600, "arn:evil:kms:us-east-1:1:key/k"]
)
def test_resource_without_a_page_of_its_own_leads_to_its_service(given_hit: GivenHit, resource: str) -> None:
    """A bare id, a forged one: the list of keys is still right."""
    assert "keys" in links_of(replace(given_hit(), resources=(resource,)))


@pytest.mark.parametrize("region", ["", "evil.example/", "us-east-1.evil.example", "US-EAST-1", "us-east-1\n"])
def test_record_cannot_choose_the_host(given_hit: GivenHit, region: str) -> None:
    """A link that somebody clicks at three in the morning leads to AWS or nowhere."""
    hit = replace(given_hit(), region=region, resources=(f"arn:aws:kms:{region}:1:key/k",))

    assert links_of(hit) == {}


def test_names_are_quoted_and_fill_only_their_own_place(given_hit: GivenHit) -> None:
    """A document's name must not add a parameter, another fragment, or a place of ours."""
    hit = replace(given_hit(), resources=("arn:aws:ssm:us-east-1:1:document/a?b#c {a} d",), event_id="x#/y")

    links = links_of(hit)

    assert links["document"].endswith("/documents/a%3Fb%23c%20%7Ba%7D%20d/description?region=us-east-1")
    assert links["event"].endswith("#/events/x%23%2Fy")


def test_actor_of_another_account_has_no_link(given_hit: GivenHit) -> None:
    """The sign-in that opens the others would show a role of the same name that did nothing."""
    hit = given_hit()
    foreign = replace(hit, actor=replace(hit.actor, key="arn:aws:iam::999988887777:role/Admin"))

    assert "role" in links_of(hit)
    assert "role" not in links_of(foreign)


def test_runbook_is_filled_and_quoted(given_hit: GivenHit) -> None:
    """Each rule has its page; a rule of the deployer's own may have any name."""
    hit = replace(given_hit(), name="a/b ü")

    assert runbook_link("https://w.example.com/{service}/{rule}?l={level}", hit) == (
        "https://w.example.com/kms/a%2Fb%20%C3%BC?l=high"
    )
    assert links_of(replace(hit, region=""), "https://w.example.com/") == {"runbook": "https://w.example.com/"}


@pytest.mark.parametrize("partition", ["aws-iso-e", "aws-iso-f", "aws-tomorrow", ""])
def test_partition_whose_console_is_not_known_has_no_links(given_hit: GivenHit, partition: str) -> None:
    """They led to the commercial partition's console, which asks for a sign-in that one does not have."""
    hit = replace(given_hit(), region="eu-isoe-west-1", partition=partition)

    assert links_of(hit) == {}
    assert list(links_of(hit, "https://w.example.com/")) == ["runbook"]


def test_person_of_a_permission_set_has_the_link_of_the_role(given_hit: GivenHit) -> None:
    """The person's rights are the role's, but IAM does not let its sessions be revoked: the link only shows them."""
    hit = given_hit()
    name = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
    person = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/dana"
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/{name}"

    links = links_of(replace(hit, actor=replace(hit.actor, key=person, role=role)))

    assert links["role"].endswith(f"/iam/home#/roles/details/{name}")
