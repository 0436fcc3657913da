"""What a busy account does all day: records nobody needs to hear of, made from the templates in noise.jsonl.

A template is a record's members in CloudTrail's own words, and besides:

    weight      how often it is taken, against the others
    caller      a name below, a service, or an address, where the template has userIdentity and userAgent itself
    operation   service and eventName
    invokedBy   the service that makes the call for the caller
    absent      members the record does not have
"""

import json
from datetime import timedelta
from pathlib import Path
from random import Random
from string import Template

from examples.records import (
    ACCOUNT,
    Caller,
    Json,
    Log,
    answered,
    aws_service,
    identity_center,
    key_arn,
    moment,
    role_session,
    service_role,
    uuid,
)


BOTO = (
    "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux md/arch#x86_64 lang/python#3.13.9 exec-env/AWS_Lambda_python3.13"
)
SSM_AGENT = "aws-sdk-go/1.55.5 (go1.24.6; linux; amd64) amazon-ssm-agent/"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15"


def add_noise(log: Log, region: str, start: str, end: str) -> None:
    """Record 40 to 75 everyday calls between two times, the same on every run."""
    random = Random(f"{region} {start}")  # noqa: S311 - variety, not secrecy
    lines = Path(__file__).with_name("noise.jsonl").read_text(encoding="utf-8").splitlines()
    weights = [json.loads(line)["weight"] for line in lines]
    seconds = int((moment(end) - moment(start)).total_seconds())
    for line in random.choices(lines, weights, k=random.randint(40, 75)):
        clock = f"{moment(start) + timedelta(seconds=random.randrange(seconds)):%H:%M:%S}"
        node = f"i-{random.choice(('0a11', '0b22', '0c33'))}c0ffee4455667"
        values = {
            "account": ACCOUNT,
            "region": region,
            "key": key_arn(random.choice(("catalog", "sessions", "mail")), region),
            "node": node,
            "id": uuid(str(random.random())),
            "hex": f"{random.getrandbits(128):032x}",
            "next": f"{random.getrandbits(128):032x}",
            "at": f"{moment(clock):%Y-%m-%dT%H:%M:%SZ}",
            "answered": answered(clock),
        }
        template = json.loads(Template(line).substitute(values))
        _add(log, clock, region, node, template)


def _add(log: Log, clock: str, region: str, node: str, template: Json) -> None:
    del template["weight"]
    absent = template.pop("absent", ())
    caller = _caller(template.pop("caller"), node)
    if through := template.pop("invokedBy", ""):
        caller = caller.through(through)
    record = log.call(clock, region, caller, template.pop("operation"), **template)
    for member in absent:
        record.pop(member, None)


def _caller(name: str, node: str) -> Caller:
    match name:
        case "app":
            return role_session("catalog-api", "catalog-api", "198.51.100.64", BOTO)
        case "node":
            return role_session("web-node", node, "198.51.100.80", SSM_AGENT)
        case "reader":
            return identity_center("zoë.brandt@example.com", "ReadOnlyAccess", "198.51.100.29", SAFARI)
        case "autoscaling":
            return service_role(name, "AWSServiceRoleForAutoScaling", "AutoScaling")
        case "config":
            return service_role(name, "AWSServiceRoleForConfig", "AWSConfig-Describe")
        case "inspector2":
            return service_role(name, "AWSServiceRoleForAmazonInspector2", "Inspector")
        case _ if name[0].isdigit():
            return Caller({}, name, "")
        case _:
            return aws_service(name)
