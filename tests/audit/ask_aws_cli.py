"""What `aws cloudtrail validate-logs` prints about a world: run by the Python of build/awscli, with the world on stdin.

Its own validator does the work; S3, keys and the trail's place are answered from the world. Prints, for each key from
AWSLogs/ on, the words it says, and gaps by their beginnings.
"""

import base64
import contextlib
import io
import json
import re
import sys
from datetime import datetime, timedelta
from typing import Any

from awscli.customizations.cloudtrail.validation import CloudTrailValidateLogs
from botocore.exceptions import ClientError


class Bucket:
    """The calls of S3 that are made."""

    def __init__(self, objects: dict[str, Any]) -> None:
        self.objects = objects

    def get_client(self, bucket: str) -> "Bucket":
        """This, whatever the bucket."""
        return self

    def get_paginator(self, name: str) -> "Bucket":
        """The same."""
        return self

    def paginate(self, Bucket: str, Marker: str, Prefix: str) -> "Bucket":  # noqa: N803 (botocore's names)
        """Keep what is listed for search()."""
        self.page = [key for key in sorted(self.objects) if key.startswith(Prefix) and key > Marker]
        return self

    def search(self, expression: str) -> list[str]:
        """The keys."""
        return self.page

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 (botocore's names)
        """An object, or the error that says that there is none."""
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "none"}}, "GetObject")
        stored = self.objects[Key]
        return {"Body": io.BytesIO(base64.b64decode(stored["body"])), "Metadata": stored["metadata"]}


class CloudTrail:
    """The calls of CloudTrail and Organizations that are made."""

    def __init__(self, chain: dict[str, str], bucket: str, keys: list[dict[str, Any]]) -> None:
        self.chain, self.bucket, self.keys = chain, bucket, keys

    def describe_trails(self, trailNameList: list[str] | None = None) -> dict[str, Any]:  # noqa: N803 (botocore's)
        """The trail."""
        trail = {
            "TrailARN": self.chain["arn"],
            "S3BucketName": self.bucket,
            "S3KeyPrefix": self.chain["prefix"] or None,
        }
        return {"trailList": [trail | {"IsOrganizationTrail": bool(self.chain["organisation"])}]}

    def describe_organization(self) -> dict[str, Any]:
        """The organisation."""
        return {"Organization": {"Id": self.chain["organisation"]}}

    def list_public_keys(self, **times: datetime) -> dict[str, Any]:
        """All keys."""
        return {"PublicKeyList": self.keys}


def validate(world: dict[str, Any], chain: dict[str, str]) -> str:
    """What is printed about one chain."""
    command = CloudTrailValidateLogs(None)
    command.trail_arn, command.account_id, command.is_verbose = chain["arn"], chain["account"], True
    command._source_region = chain["region"]
    command.s3_client_provider = Bucket(world["objects"])
    command.cloudtrail_client = command.organization_client = CloudTrail(chain, world["bucket"], world["keys"])
    begin = datetime.fromisoformat(world["begin"])
    command.start_time, command.end_time = begin, begin + timedelta(days=3)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        command._call()
    return printed.getvalue()


def words(printed: str) -> dict[str, str]:
    """What it says of each file and gap."""
    said = {}
    for line in printed.splitlines():
        file = re.search(r"file\ts3://\S*(AWSLogs/[^\t]*?)\t(?:INVALID: )?(.*)$", line)
        gap = re.search(r"No log files were delivered by CloudTrail between (\S+) and", line)
        if file:
            said[file[1]] = file[2]
        elif gap:
            said[f"gap {gap[1]}"] = "gap"
    return said


if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(json.dumps([words("\n".join(validate(world, chain) for chain in world["chains"])) for world in given]))  # noqa: T201 (its answer)
