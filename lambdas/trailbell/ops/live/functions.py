"""The functions and what feeds and calls them, as they are now."""

import base64
import hashlib
import json

from botocore.exceptions import ClientError

from trailbell.ops.answers import Answer, Declared
from trailbell.ops.deployed_stack import Clients
from trailbell.ops.live.reader import Reader, UnansweredError, answered_or, picked


def _configuration(clients: Clients, resource: Declared) -> Answer:
    found = clients("lambda").get_function_configuration(FunctionName=resource.physical)
    logging = picked(found, "LoggingConfig")
    return {
        **{name: _without_defaults(value) for name, value in logging.items()},
        **picked(found, "Handler", "Runtime", "Role", "Timeout", "MemorySize", "Architectures", "EphemeralStorage"),
        "Environment": found.get("Environment"),
        "Layers": [layer["Arn"] for layer in found.get("Layers") or ()],
        "VpcConfig": picked(found.get("VpcConfig") or {}, "SubnetIds", "SecurityGroupIds"),
        "KmsKeyArn": found.get("KMSKeyArn"),
        "State": "Failed" if "Failed" in (found.get("State"), found.get("LastUpdateStatus")) else "Active",
    }


def _without_defaults(logging: Answer) -> Answer:
    """Log settings without the format and the levels that a template need not say."""
    return {name: value for name, value in logging.items() if value not in ("Text", "INFO")}


def _concurrency(clients: Clients, resource: Declared) -> Answer:
    found = clients("lambda").get_function_concurrency(FunctionName=resource.physical)
    return picked(found, "ReservedConcurrentExecutions")


def _code(clients: Clients, resource: Declared) -> Answer:
    """The code's place as deployed where the asset there is what the function runs; else the hash of what it runs.

    CodeSha256 is the base64 of the deployment package's SHA-256:
    https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
    """
    code = resource.properties.get("Code", {})
    if "S3Key" not in code:
        return {"Code": code}  # written in the template: CloudFormation zips it, and the zip's hash is not known
    found = clients("lambda").get_function_configuration(FunctionName=resource.physical)
    runs = found.get("CodeSha256", "")
    return {"Code": code if runs == _asset_hash(clients, code["S3Bucket"], code["S3Key"]) else {"Sha256": runs}}


def _asset_hash(clients: Clients, bucket: str, key: str) -> str:
    """The SHA-256 of an asset: the checksum that the CDK uploads with it, or else of its bytes."""
    s3 = clients("s3")
    try:
        found = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        if (known := found.get("ChecksumSHA256")) and "-" not in known:  # with one: of the parts of an upload
            return str(known)
        digest = hashlib.sha256()
        for chunk in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(1 << 20):
            digest.update(chunk)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404", "NoSuchBucket"):
            raise UnansweredError(f"the asset {bucket}/{key} that the code was deployed from is gone") from None
        raise
    return base64.b64encode(digest.digest()).decode()


def _mapping(clients: Clients, resource: Declared) -> Answer:
    found = clients("lambda").get_event_source_mapping(UUID=resource.physical)
    same = ("EventSourceArn", "FilterCriteria", "DestinationConfig", "FunctionResponseTypes", "ScalingConfig")
    numbers = ("BatchSize", "MaximumBatchingWindowInSeconds", "BisectBatchOnFunctionError", "MaximumRetryAttempts")
    more = ("MaximumRecordAgeInSeconds", "ParallelizationFactor", "TumblingWindowInSeconds")
    function = found.get("FunctionArn", "").partition(":function:")[2]
    return {**picked(found, *same, *numbers, *more), "FunctionName": function, "KmsKeyArn": found.get("KMSKeyArn")}


def _permission(clients: Clients, resource: Declared) -> Answer:
    """Whether the function's policy has the statement: the declared members where it has, none where it has not."""
    declared = resource.properties
    function = declared["FunctionName"]
    answer = answered_or("ResourceNotFoundException", lambda: clients("lambda").get_policy(FunctionName=function))
    statements = json.loads(answer.get("Policy") or '{"Statement": []}')["Statement"]
    return {"Statement": statements}


READERS: dict[str, tuple[Reader, ...]] = {
    "AWS::Lambda::Function": (_configuration, _concurrency, _code),
    "AWS::Lambda::EventSourceMapping": (_mapping,),
    "AWS::Lambda::Permission": (_permission,),
}
