"""A bad morning in account 111122223333, told in the log files CloudTrail would have delivered.

    python -m examples.story    writes examples/AWSLogs again, the same on every run

README.md beside this file tells the story in words; here it is told scene by scene, each a function. Addresses
are those reserved for documentation (RFC 5737).
"""

import gzip
import hashlib
import json
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from string import ascii_letters, digits

from examples.acts import (
    BACKUP,
    CLUSTER,
    HSM,
    backup,
    delete_parameter,
    key_is_gone,
    on_document,
    on_hsm,
    on_key,
    put_key_policy,
    schedule_deletion,
    send_command,
)
from examples.noise import add_noise
from examples.records import (
    ACCOUNT,
    DAY,
    EUROPE,
    HOME,
    Json,
    Log,
    answered,
    arn,
    code,
    hexadecimal,
    iam_user,
    identity_center,
    key_arn,
    listed,
    moment,
    role_session,
    service_role,
    uuid,
)


BUCKET = "acme-trail-bucket"
START = "09:00"
DELIVERIES = {HOME: ("09:05", "09:25", "09:45", "10:10"), EUROPE: ("09:15", "09:40", "10:10")}
LEGACY_TRAIL_STOPS, LEGACY_TRAIL_ENDS = "09:22:05", "09:22:06"

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
CLI = "aws-cli/2.32.3 md/awscrt#0.28.4 ua/2.1 os/linux md/arch#x86_64 lang/python#3.13.9"
OTHER_CLI = "aws-cli/2.31.4 md/Botocore#1.40.49 ua/2.1 os/linux#6.16.8+kali-amd64 md/arch#x86_64 lang/python#3.13.7"
BOTO = "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux md/arch#x86_64 lang/python#3.13.9"

PRIYA = identity_center("priya@example.com", "FleetDeveloper", "198.51.100.31", FIREFOX)
DANA = identity_center("dana@example.com", "AdministratorAccess", "198.51.100.23", CLI)
OMAR = identity_center("omar@example.com", "OnCall", "198.51.100.40", CLI)
DEPLOYMENT = role_session("deploy", "AWSCloudFormation", "192.0.2.77", BOTO).through("cloudformation.amazonaws.com")
MAINTENANCE = service_role("ssm", "AWSServiceRoleForAmazonSSM", "maintenance-window")
ORDERS_API = role_session("orders-api", "orders-api", "192.0.2.90", BOTO)

LEAKED_KEY = iam_user("ci-deploy", "203.0.113.66", BOTO)
THIEF_AS_DANA = replace(DANA, address="203.0.113.66", agent=OTHER_CLI)

LEGACY_TRAIL, UNKNOWN_TRAIL = (arn("cloudtrail", HOME, f"trail/{name}") for name in ("acme-legacy", "acme-main"))
CHECKOUT = "api-url cart-ttl currency db-host db-name db-password db-user fraud-key mail-from psp-key psp-url tax-key"
FORGED_AGENT = "Mozilla/5.0 \u001b[31mALL CLEAR\u001b[0m\r\nBcc: everyone@example.com <script>"


def normal_morning(log: Log) -> None:
    """Planned work. The deployment does alert: what a person does through a tool, the person does."""
    request = {"applicationName": "robots", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/fleet-hub"}
    robots = arn("iotfleethub", HOME, f"application/{uuid('robots')}")
    from_console = {
        "responseElements": {"applicationId": uuid("robots"), "applicationArn": robots},
        "sessionCredentialFromConsole": "true",
    }
    log.call("09:02:11", HOME, PRIYA, "iotfleethub:CreateApplication", request, **from_console)
    send_command(log, "09:04:00", MAINTENANCE)
    orders = listed(key_arn("orders"), type="AWS::KMS::Key")
    log.call("09:06:15", EUROPE, DANA, "kms:DescribeKey", {"keyId": uuid("orders")}, resources=orders)
    put_key_policy(log, "09:07:40", DEPLOYMENT, "orders", f"arn:aws:iam::{ACCOUNT}:role/orders-api")
    key_is_gone(log, "09:11:19", "orders-2024")


def leaked_key(log: Log) -> None:
    """The key of ci-deploy, from a build log: it may not touch KMS, but it may send commands to the build hosts."""
    log.call("09:12:03", HOME, LEAKED_KEY, "sts:GetCallerIdentity")
    denied = (
        f"User: {LEAKED_KEY.identity['arn']} is not authorized to perform: kms:DisableKey on resource: "
        f"{key_arn('orders')} because no identity-based policy allows the kms:DisableKey action"
    )
    log.call("09:12:31", EUROPE, LEAKED_KEY, "kms:DisableKey", errorCode="AccessDenied", errorMessage=denied)
    send_command(log, "09:13:20", LEAKED_KEY)


def blinding(log: Log) -> None:
    """Dana's session, found on a build host, stops the one trail the thief gets to know of, at the second try."""
    unknown = {
        "errorCode": "TrailNotFoundException",
        "errorMessage": f"Unknown trail: {UNKNOWN_TRAIL} for the user: {ACCOUNT}",
    }
    log.call("09:21:47", HOME, THIEF_AS_DANA, "cloudtrail:StopLogging", {"name": UNKNOWN_TRAIL}, **unknown)
    log.call(LEGACY_TRAIL_STOPS, HOME, THIEF_AS_DANA, "cloudtrail:StopLogging", {"name": LEGACY_TRAIL})


def attack_on_keys(log: Log) -> None:
    """A door for another account, an outage of the orders service, two deletions and one loss without delay."""
    put_key_policy(log, "09:25:10", THIEF_AS_DANA, "payments", "arn:aws:iam::444455556666:root")
    on_key(log, "09:26:32", THIEF_AS_DANA, "DisableKey", "orders")
    disabled = {"errorCode": "DisabledException", "errorMessage": f"{key_arn('orders')} is disabled."}
    for second in (40, 41, 43, 47, 55):
        log.call(f"09:26:{second}", EUROPE, ORDERS_API, "kms:Decrypt", **disabled)
    schedule_deletion(log, "09:31:02", THIEF_AS_DANA, "payments", days=7)
    schedule_deletion(log, "09:31:40", THIEF_AS_DANA, "archive", days=30)
    material = {"keyMaterialId": hexadecimal("ledger", 64)}
    on_key(log, "09:33:27", THIEF_AS_DANA, "DeleteImportedKeyMaterial", "ledger", material)


def attack_on_hsms(log: Log) -> None:
    """The key store, then the backup that could bring it back, its HSM and its cluster."""
    store = {"customKeyStoreId": f"cks-{hexadecimal('key store', 17)}"}
    behind = {"customKeyStoreName": "acme-hsm", "clusterId": CLUSTER}
    log.call("09:35:14", EUROPE, THIEF_AS_DANA, "kms:DisconnectCustomKeyStore", store, additionalEventData=behind)

    request: Json = {"backupId": BACKUP}
    expiring = {**request, "neverExpires": False}
    deleted = backup("PENDING_DELETION", deleteTimestamp=answered("09:39:11", days=7))
    cluster = {"clusterId": CLUSTER, "state": "DELETE_IN_PROGRESS", "hsmType": "hsm2m.medium", "hsms": []}
    on_hsm(log, "09:38:22", THIEF_AS_DANA, "ModifyBackupAttributes", expiring, backup("READY"))
    on_hsm(log, "09:39:11", THIEF_AS_DANA, "DeleteBackup", request, deleted)
    on_hsm(log, "09:41:36", THIEF_AS_DANA, "DeleteHsm", {"clusterId": CLUSTER, "hsmId": HSM}, {"hsmId": HSM})
    on_hsm(log, "09:44:50", THIEF_AS_DANA, "DeleteCluster", {"clusterId": CLUSTER}, {"cluster": cluster})


def attack_on_systems_manager(log: Log) -> None:
    """A document for the whole world, one gone under a forged user agent, and every parameter of the checkout."""
    everybody = {"permissionType": "Share", "accountIdsToAdd": ["all"]}
    on_document(log, "09:46:05", THIEF_AS_DANA, "ModifyDocumentPermission", "Acme-Bootstrap", everybody)
    on_document(log, "09:48:33", THIEF_AS_DANA, "DeleteDocument", "Acme-Harden", userAgent=FORGED_AGENT)

    throttled = {"errorCode": "ThrottlingException", "errorMessage": "Rate exceeded"}
    for second, name in enumerate(CHECKOUT.split(), start=10):
        if second % 4 == 0:
            log.call(f"09:50:{second}", HOME, LEAKED_KEY, "ssm:DeleteParameter", **throttled)
        delete_parameter(log, f"09:50:{second}", LEAKED_KEY, f"/acme/checkout/{name}")


def leaving(log: Log) -> None:
    """Priya's application and the stopped trail. Of acme-audit, the other trail, the thief never learned."""
    robots = {"applicationId": uuid("robots")}
    log.call("09:54:18", HOME, THIEF_AS_DANA, "iotfleethub:DeleteApplication", robots)
    log.call("09:56:02", HOME, THIEF_AS_DANA, "cloudtrail:DeleteTrail", {"name": LEGACY_TRAIL})


def repair(log: Log) -> None:
    """Omar, on call, locks the thief out and undoes what can be undone. None of it alerts."""
    access_key = {"userName": "ci-deploy", "accessKeyId": LEAKED_KEY.identity["accessKeyId"], "status": "Inactive"}
    log.call("09:58:40", HOME, OMAR, "iam:UpdateAccessKey", access_key)
    log.call("09:59:12", HOME, OMAR, "sso:DeleteAccountAssignment", {"targetId": ACCOUNT, "targetType": "AWS_ACCOUNT"})
    on_key(log, "10:01:05", OMAR, "EnableKey", "orders")
    on_key(log, "10:01:48", OMAR, "CancelKeyDeletion", "payments")
    on_key(log, "10:01:55", OMAR, "EnableKey", "payments")
    on_key(log, "10:02:10", OMAR, "CancelKeyDeletion", "archive")
    on_key(log, "10:02:16", OMAR, "EnableKey", "archive")
    on_hsm(log, "10:03:02", OMAR, "RestoreBackup", {"backupId": BACKUP}, backup("READY"))
    nobody = {"permissionType": "Share", "accountIdsToRemove": ["all"]}
    on_document(log, "10:04:29", OMAR, "ModifyDocumentPermission", "Acme-Bootstrap", nobody)


SCENES = (
    normal_morning,
    leaked_key,
    blinding,
    attack_on_keys,
    attack_on_hsms,
    attack_on_systems_manager,
    leaving,
    repair,
)


def build() -> dict[str, Json]:
    """The objects of the trail bucket: key → JSON document."""
    log = Log()
    for scene in SCENES:
        scene(log)
    objects: dict[str, Json] = {}
    for region, ends in DELIVERIES.items():
        for start, end in pairwise((START, *ends)):
            add_noise(log, region, start, end)
            objects[_log_file_key("acme-audit", region, end)] = _log_file(log, region, start, end)
    digest = _digest(objects)
    # As long as it lives, the legacy trail delivers what acme-audit delivers: its last record arrives twice.
    objects[_log_file_key("acme-legacy", HOME, "09:25")] = _log_file(log, HOME, "09:20", LEGACY_TRAIL_ENDS)
    return {**objects, digest["digestS3Object"]: digest}


def _log_file(log: Log, region: str, start: str, end: str) -> Json:
    """What happened in a region from one time until before another, oldest first."""
    first, last = f"{DAY}T{start}", f"{DAY}T{end}"
    records = [record for record in log.records[region] if first <= record["eventTime"] < last]
    return {"Records": sorted(records, key=lambda record: record["eventTime"])}


def _log_file_key(trail: str, region: str, delivered: str) -> str:
    unique = code(f"{trail} {region} {delivered}", 16, ascii_letters + digits)
    name = f"{ACCOUNT}_CloudTrail_{region}_{moment(delivered):%Y%m%dT%H%M}Z_{unique}.json.gz"
    return f"AWSLogs/{ACCOUNT}/CloudTrail/{region}/{moment(delivered):%Y/%m/%d}/{name}"


def _digest(objects: dict[str, Json]) -> Json:
    """What CloudTrail writes every hour to prove its log files; the signature is metadata of the object."""
    keys = [_log_file_key("acme-audit", HOME, delivered) for delivered in DELIVERIES[HOME] if delivered < "10:00"]
    log_files = [_proof(key, objects[key]) for key in keys]
    name = f"{ACCOUNT}_CloudTrail-Digest_{HOME}_acme-audit_{HOME}_{moment('10:00'):%Y%m%dT%H%M%S}Z.json.gz"
    return {
        "awsAccountId": ACCOUNT,
        "digestStartTime": f"{DAY}T09:00:00Z",
        "digestEndTime": f"{DAY}T10:00:00Z",
        "digestS3Bucket": BUCKET,
        "digestS3Object": f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{HOME}/{moment('10:00'):%Y/%m/%d}/{name}",
        "digestPublicKeyFingerprint": hexadecimal("public key", 32),
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": log_files[-1]["newestEventTime"],
        "oldestEventTime": log_files[0]["oldestEventTime"],
        "previousDigestS3Bucket": None,
        "previousDigestS3Object": None,
        "logFiles": log_files,
    }


def _proof(key: str, log_file: Json) -> Json:
    times = [record["eventTime"] for record in log_file["Records"]]
    return {
        "s3Bucket": BUCKET,
        "s3Object": key,
        "hashValue": hashlib.sha256(encode(log_file)).hexdigest(),
        "hashAlgorithm": "SHA-256",
        "newestEventTime": times[-1],
        "oldestEventTime": times[0],
    }


def encode(document: Json) -> bytes:
    """A document as CloudTrail writes it: JSON without blanks, UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def write(objects: dict[str, Json], folder: Path) -> None:
    """Write the objects below a folder, gzipped, in place of those of an earlier run."""
    shutil.rmtree(folder / "AWSLogs", ignore_errors=True)
    for key, document in objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(encode(document), mtime=0))


if __name__ == "__main__":
    write(build(), Path(__file__).parent)
