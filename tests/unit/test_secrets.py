"""What looks like a secret leaves a text; what merely looks odd stays, or nobody could read the alert."""

import base64
import gzip
import random
import re
import string
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.secret_shapes import (
    AFTER_A_NAME,
    ALNUM,
    HEX,
    IN_A_COMMAND,
    LONG_RANDOM,
    ONE_TIME,
    password,
    tokens,
    written,
)
from trailbell.text.secrets import GONE, MAX_TEXT, names_secret, redacted, redacted_name
from trailbell.text.token_forms import TOKEN_FORMS


SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cloudtrail"
_PROGRAM = re.compile(r"pass|pin|otp|tan|code|kennwort|pwd|geheim|senha|key|su$|echo|net|sudo|base")
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


@pytest.mark.parametrize("around", ["{}", "failed: {} (again)", '{{"message": "{}"}}', "first line\n{}\nlast line"])
@pytest.mark.parametrize("shape", [*AFTER_A_NAME, *IN_A_COMMAND])
def test_password_leaves_whatever_says_that_it_is_one(shape: str, around: str) -> None:
    """A name in another language, an option of a program or an element of XML must not be the way out."""
    dice = random.Random(shape)  # noqa: S311

    for _ in range(5):
        secret = password(dice)
        shown = redacted_name(around.replace("{{", "{").replace("}}", "}").replace("{}", written(shape, secret), 1))
        assert secret not in shown
        assert GONE in shown
        assert redacted_name(shown) == shown


@pytest.mark.parametrize("shape", ONE_TIME)
def test_one_time_code_leaves_after_its_name(shape: str) -> None:
    """It is good for half a minute, and mails are quick."""
    for code in ("481207", "0042", "12345678"):
        shown = redacted(written(shape, code))
        assert code not in shown
        assert redacted(shown) == shown


@pytest.mark.parametrize("shape", LONG_RANDOM)
def test_long_random_value_leaves_after_a_telling_name(shape: str) -> None:
    """Hexadecimal has no form of its own, so only the name before it tells a key from the hash of an image."""
    dice = random.Random(shape)  # noqa: S311

    for size in (32, 40, 64, 128):
        secret = "".join(dice.choices(HEX, k=size))
        assert secret not in redacted_name(written(shape, secret))
        assert redacted(f"sha256:{secret}") == f"sha256:{secret}"


@pytest.mark.parametrize(
    "around", ["{}", "a {} b", '"{}",', "({})", "<{}>", "x={}&y", "https://h/{}/x", "{}.", "line\n{}\n", r"\"{}\""]
)
def test_tokens_of_vendors_leave(around: str) -> None:
    """Their form is fixed, so nobody needs to say what they are; they stand in names and addresses, too."""
    dice = random.Random(around)  # noqa: S311

    for vendor, token in (pair for _ in range(10) for pair in tokens(dice)):
        shown = redacted_name(around.replace("{}", token))
        assert token[-12:] not in shown, vendor
        assert redacted_name(shown) == shown, vendor


def test_every_known_beginning_is_looked_for() -> None:
    """A row of the table that matches nothing would be a token that leaves."""
    dice = random.Random(5)  # noqa: S311

    for head, least, _ in TOKEN_FORMS:
        rest = "".join(dice.choices(ALNUM, k=least - 1)) + "7"
        assert redacted_name(f"a {head}{rest} b") == f"a {GONE} b", head


@pytest.mark.parametrize("command", ["net user bob Hunter-2 /add", "echo root:Hunter-2 | chpasswd"])
def test_encoded_command_leaves_as_a_whole(command: str) -> None:
    """Base64 hides a password from people, and from a search."""
    wide = base64.b64encode(command.encode("utf-16le")).decode()
    plain = base64.b64encode(command.encode()).decode()

    for text in (f"powershell -NoP -enc {wide}", f"pwsh -EncodedCommand {wide}", f"FromBase64String('{plain}')"):
        assert text.rpartition(" ")[2].strip("')")[-16:] not in redacted_name(text)
    for text in (f"echo {plain} | base64 -d | sh", f"base64 --decode <<< {plain}"):
        assert plain not in redacted_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:lambda:us-east-1:111122223333:function:github_pat_rotation_function",
        "arn:aws:iam::111122223333:role/npm_config_registry_reader",
        "arn:aws:iam::111122223333:role/re_encrypt_everything_in_production",
        "arn:aws:s3:::acme-key/AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/09/01/x.json.gz",
        "arn:aws:ecr:us-east-1:111122223333:repository/app@sha256:" + "0123456789abcdef" * 4,
        "arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_aBcDeFgHi",
        "arn:aws:iam::111122223333:server-certificate/key",
        "sk-learn-pipeline-execution-role-for-training",
        "key: arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "key=1234abcd-12ab-34cd-56ef-1234567890ab",
        "kmsKey: mrk-1234abcd12ab34cd56ef1234567890ab",
        "Schlüssel: 1234abcd-12ab-34cd-56ef-1234567890ab",
        "accessKey=alias/prod",
        "key=AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/111122223333_CloudTrail_us-east-1_20260901T0000Z_x.gz",
        "nextToken=abcdef",
        "AccessKeyId=AKIA...MPLE",
        "SharedAccessKeyName=RootManageSharedAccessKey",
        "password is required",
        "Password: must contain at least 8 characters",
        "the password expired 90 days ago",
        "token: null",
        "code: AccessDenied",
        "docker run -p 8080:80 nginx",
        "mysql -u root -p orders",
        "net user bob /delete",
        "curl/8.4.0",
        "curl https://example.com -o f",
        "aws ssm get-parameter --name /prod/db/password",
        "aws configure set region eu-central-1",
        "echo done | tee log",
        "bypass=true",
        "compass: north",
        "pinned version 12345",
        "exec-env/AWS_Lambda_python3.13 cfg/retry-mode#standard",
        "<name>orders</name>",
        '{"Key": "Owner", "Value": "team-orders"}',
        "arn:aws:sts::111122223333:assumed-role/Deploy/GitHubActions-1234567890",
        "dana@example.com:8443/path@v2",
        "https://example.com:8443/path/@scope/package",
    ],
)
def test_what_only_resembles_a_secret_stays(text: str) -> None:
    """Names of roles and keys, sentences about passwords and ports are what a reader needs to see."""
    assert redacted_name(text) == text
    assert redacted(text) == text


@pytest.mark.skipif(not SAMPLES.exists(), reason="no sample records here")
def test_sample_records_keep_their_names() -> None:
    """Real ARNs, ids, agents and sessions: of thousands only ids of access keys change."""
    names = set()
    for path in SAMPLES.rglob("*.gz"):
        names |= set(
            re.findall(r'"(?:arn|ARN|principalId|userName|eventName|requestID|userAgent)": ?"([^"\\]+)"', _text(path))
        )
    changed = {name for name in names if redacted_name(name) != name and "..." not in redacted_name(name)}

    assert len(names) > 500
    assert not changed


@pytest.mark.parametrize(
    "piece",
    'key= key=" password=" <password> <a &lt; curl curl_-u_ -u_" passwd_<<E\n echo_|_passwd_ \\"curl_-u_\\" re_ glpat- '
    "name=password; identified_by_' password_ https://a:b -----BEGIN_PRIVATE_KEY a: -p a.b.c. base64 sk-ant-".split(
        " "
    ),
)
def test_time_is_linear_in_what_resembles_a_beginning(piece: str) -> None:
    """Twice the text takes about twice the time; were it the square, a user agent could stop the detector."""
    text = piece.replace("_", " ") * MAX_TEXT

    assert min(_seconds(text[:MAX_TEXT]) for _ in range(2)) < 0.25


def _seconds(text: str) -> float:
    start = time.process_time()
    redacted(text)
    return time.process_time() - start


def _text(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode("utf-8", "replace")


@given(st.text(alphabet=string.ascii_lowercase + " ./#", max_size=200))
def test_text_without_a_shape_is_unchanged(text: str) -> None:
    """Small words without a joint, an option or a digit hold no secret."""
    words = " ".join(word for word in text.split() if not _PROGRAM.search(word))

    assert redacted(words) == words


@given(st.sampled_from([*AFTER_A_NAME, *IN_A_COMMAND]), st.randoms(use_true_random=False), st.text(max_size=30))
@settings(max_examples=examples(300))
def test_random_secret_never_stays_in_any_surroundings(shape: str, dice: random.Random, before: str) -> None:
    """What stands before a secret is the caller's choice, too."""
    secret = password(dice)

    assert secret not in redacted_name(f"{before} \n{written(shape, secret)}")
