"""What looks like a secret leaves a text; what merely looks odd stays, or nobody could read the alert."""

import base64
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.text.secrets import GONE, MAX_TEXT, names_secret, redacted, redacted_name


KEY_ID = "AKIA" + "IOSFODNN7EXAMPLE"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5NXgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"the key {KEY_ID} is disabled", "the key AKIA...MPLE is disabled"),
        ("ASIA" + "IOSFODNN7EXAMPLE", "ASIA...MPLE"),
        (f"Invalid token: {JWT}", f"Invalid token: {GONE}"),
        (f"a {JWT} b", f"a {GONE} b"),
        ("password=hunter2 next", f"password={GONE} next"),
        ("Password: Tr0ub4dor&3", f"Password: {GONE}&3"),
        ("MasterUserPassword=abc", f"MasterUserPassword={GONE}"),
        ("DB_PASSWORD='a b c';", f"DB_PASSWORD={GONE};"),
        ("mysql --password s3cr3t -h db", f"mysql --password {GONE} -h db"),
        ('{"password": "hun ter\\"2", "a": 1}', f'{{"password": {GONE}, "a": 1}}'),
        ('{\\"sessionToken\\":\\"abc def\\"}', f'{{\\"sessionToken\\":{GONE}}}'),
        ("aws_session_token=FwoGZXIvYXdzEBY", f"aws_session_token={GONE}"),
        ("GET https://h/?X-Amz-Signature=ab12&x=1", f"GET https://h/?X-Amz-Signature={GONE}&x=1"),
        ("?X-Amz-Security-Token=Fwo%2Fa&x", f"?X-Amz-Security-Token={GONE}&x"),
        ("Bearer abcdefghijklmnop1234", f"Bearer {GONE}"),
        ("postgres://user:pa55@host/db", f"postgres://{GONE}@host/db"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfi" + "CYEXAMPLEKEY", GONE),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- rest", "[redacted private key] rest"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE", "[redacted private key]"),
    ],
)
def test_secrets_leave_a_text(text: str, shown: str) -> None:
    """A mail is read, forwarded and kept by many; a log by more."""
    assert redacted(text) == shown
    assert redacted(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_AdministratorAccess_df24df604b6cb36b/dana@example.com",
        "arn:aws:iam::111122223333:role/aws-service-role/autoscaling-plans.amazonaws.com/AWSServiceRoleForScaling_EC2",
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/db-AbCdEf",
        "arn:aws:ssm:us-east-1:111122223333:parameter/prod/db/password",
        "AROAIOSFODNN7EXAMPLE:session",
        "AIDACKCEVSQ6C2EXAMPLE",
        "AWS-ConfigureS3BucketVersioningForMyOrg2/AWSConfigRemediation-DeleteUnusedEBSVolume1",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "0b6b2e3c-7a5d-4a52-a9c0-1a7c3c7d9a10",
        "The security token included in the request is invalid",
        "token: expired",
        "Signature expired: 20260901T091407Z is now earlier than 20260901T091907Z",
        "basic authentication failed for user dana",
        "aws-cli/2.31.4 md/Botocore#1.40.49 ua/2.1 os/linux#6.16.8+kali-amd64 md/arch#x86_64 lang/python#3.13.7",
        "aws-sdk-java/2.20.162 Linux/5.10.186-157.751.amzn2int.x86_64 OpenJDK_64-Bit_Server_VM/17.0.8.1+8-LTS",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0",
        "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/111122223333_CloudTrail_us-east-1_20260901T0000Z_x.json.gz",
        "Rotation-arn:aws:secretsmanager:us-east-2:123456789012:secret:MyDatabase-a1b2c3-eeb681b1-a07d-4aeb-9b61-1ee6590ec295",
        "",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    """An alert whose ARNs, ids and agents are blacked out helps nobody."""
    assert redacted(text) == text


def test_random_text_is_taken_for_a_secret() -> None:
    """Secret access keys and session tokens have no mark but their randomness."""
    dice = random.Random(7)  # noqa: S311

    for size in (30, 60, 400):
        for _ in range(300):
            blob = dice.randbytes(size)
            assert GONE in redacted(base64.b64encode(blob).decode())
            if size > 30:
                assert GONE in redacted(base64.urlsafe_b64encode(blob).decode())


def test_names_lose_marked_secrets_only() -> None:
    """A resource's name may be as random as it likes; an access key id in it is still one."""
    name = "arn:aws:ssm:us-east-1:111122223333:parameter/aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5z"

    assert redacted_name(name) == name
    assert redacted_name(f"parameter/{KEY_ID}") == "parameter/AKIA...MPLE"


def test_paths_to_secrets_are_known() -> None:
    """No undo step may show one; rules that try are refused."""
    assert names_secret("responseElements.credentials.sessionToken")
    assert names_secret("requestParameters.content")
    assert not names_secret("requestParameters.name")
    assert not names_secret("responseElements.sessionId")


@given(st.text(alphabet=string.ascii_letters + "=:\"'\\ -_/.&@[]{}", max_size=60), st.integers(1, 3000))
@settings(max_examples=examples(60), deadline=5000)
def test_time_is_linear_and_twice_is_once(piece: str, times: int) -> None:
    """A user agent must not stall the detector, however it repeats what looks like the start of a secret."""
    text = f"{piece}token=" * times

    once = redacted(text[: MAX_TEXT // 8])

    assert redacted(once) == once
    assert len(redacted(text)) <= 4 * MAX_TEXT
