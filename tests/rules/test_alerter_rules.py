"""Two rules share the acts on the alerter's own parts: by its deployer's CloudFormation one speaks, else the other."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.shipped import shipped_cases, shipped_rules
from trailbell.rulebook.cases import Case, merged, run_case


COMPILED = {rule.stem: rule for rule in shipped_rules()}
TAMPERED, UPDATED = "aws_trail_alerting_tampered", "aws_trail_alerting_updated"
ACTS = [
    case
    for case in shipped_cases(TAMPERED)
    if case.match and case.record["eventSource"] != "cloudformation.amazonaws.com"
]
ROLE = "arn:aws:iam::{account}:role/cdk-hnb659fds-cfn-exec-role-111122223333-us-east-1"


def by(case: Case, role_account: str, invoked_by: str | None, match: bool) -> Case:
    identity: Mapping[str, Any] = {
        "accountId": role_account,
        "arn": f"arn:aws:sts::{role_account}:assumed-role/deployer/AWSCloudFormation",
        "sessionContext": {"sessionIssuer": {"arn": ROLE.format(account=role_account)}},
        "invokedBy": invoked_by,
    }
    record = merged(case.record, {"userIdentity": identity})
    return Case(case.path, case.name, match, record, None, None)


@pytest.mark.parametrize("case", ACTS, ids=lambda case: case.name)
@pytest.mark.parametrize(
    ("account", "invoked_by", "stem"),
    [
        pytest.param("111122223333", "cloudformation.amazonaws.com", UPDATED, id="deployment"),
        pytest.param("111122223333", None, TAMPERED, id="by-hand"),
        pytest.param("111122223333", "servicecatalog.amazonaws.com", TAMPERED, id="another-service"),
        pytest.param("444455556666", "cloudformation.amazonaws.com", TAMPERED, id="another-account"),
    ],
)
def test_each_act_is_reported_by_one_of_the_two(case: Case, account: str, invoked_by: str | None, stem: str) -> None:
    """An act that only one of them lists would be silent as soon as a deployment does it, or nobody else would see."""
    faults = [
        fault
        for one in (TAMPERED, UPDATED)
        for fault in run_case(COMPILED[one], by(case, account, invoked_by, one == stem))
    ]

    assert faults == []
