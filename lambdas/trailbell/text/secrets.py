"""Secrets in a record's free text are not passed on: each is replaced by a word for what it was.

CloudTrail hides most secrets of a request, but writes a few responses in plain text (a session's stream URL, an
activation code). A hit holds none of those members. What remains is text that anybody may have written: user
agents, error messages, names. Access key ids are cut to their last four characters, as everywhere.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import re
from collections.abc import Callable


GONE = "[redacted]"

MAX_TEXT = 16_384
"""Characters that are read; nobody shows more of one text."""

# Members that hold a secret in a request or an answer of the services we watch, or of those that hand out
# credentials. In lower case; compared without "-" and "_".
SECRET_MEMBERS = frozenset(
    (
        "accesstoken activationcode apikey authenticationtoken authorization ciphertextblob ciphertextfordecryption "
        "clientsecret connectionkey content credentials customkeystorepassword encryptedkeymaterial encryptioncontext "
        "idtoken importtoken keystorepassword passphrase passwd password plaintext presignedurl privatekey "
        "privatekeyplaintext pwd refreshtoken secret secretaccesskey secretbinary secretkey secretstring "
        "securitytoken sessiontoken signature streamurl token tokenvalue xamzcredential xamzsecuritytoken xamzsignature"
    ).split()
)

# A name that ends like a secret's: DB_PASSWORD, x-api-key, X-Amz-Signature, aws_session_token.
_NAME = (
    r"(?:pass(?:word|wd|phrase)|pwd|secret(?:[_-]?(?:access)?[_-]?key|[_-]?string)?|api[_-]?key|private[_-]?key"
    r"|connection[_-]?key|(?:access|auth|id|import|refresh|security|session)[_-]?token(?:[_-]?value)?|token(?:[_-]?value)?"
    r"|activation[_-]?code|stream[_-]?url|client[_-]?secret|signature|sig|x-amz-credential|credentials?)"
)
# In quotes, in the quotes of JSON inside JSON, or up to the end of a word.
_VALUE = r"""(?:"(?:[^"\\]|\\.)*(?:"|\\?\Z)|\\+"(?:[^"\\]|\\[^"\\])*(?:\\+"|\\*\Z)|'[^']*(?:'|\Z)|[^\s"',;&)}\]\\]+)"""
_PAIR = re.compile(
    rf"(?<![A-Za-z0-9_.-])(?P<name>[A-Za-z0-9_.-]{{0,48}}?{_NAME})"
    rf"(?P<joint>[\\\"']{{0,4}} ?(?:=|:|%3D) ?)(?!\[redacted){_VALUE.replace('(?:', '(?P<value>', 1)}",
    re.IGNORECASE | re.DOTALL,
)
_OPTION = re.compile(
    rf"(?P<head>(?<![^\s\"'=])--?[a-z-]{{0,24}}?{_NAME} )(?!\[redacted){_VALUE}", re.IGNORECASE | re.DOTALL
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)
_BEARER = re.compile(r"\b(?P<name>Bearer|Basic|Negotiate) (?P<value>[A-Za-z0-9._~+/-]{16,}=*)", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^\s/@:]{1,128}:[^\s/@]{1,256}(?=@)")
_KEY_ID = re.compile(
    r"(?<![A-Za-z0-9])(?P<kind>AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{8,120}(?P<last>[A-Z0-9]{4})(?![A-Za-z0-9])"
)
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*)*")
_BLOB = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{32,}={0,2}")
_SECRET_KEY = re.compile(r"[A-Za-z0-9+/]{40}")  # the form of a secret access key
_JOINTS = re.compile(r"[/_+=-]")
_HEX = re.compile(r"[0-9a-f]*")
_MIN_RANDOM = 28
_TURN = re.compile(r"(?=[a-z][A-Z]|[A-Z][a-z]|[0-9][A-Za-z]|[A-Za-z][0-9])")

# What may follow "token:" and the like without being one: a name, a placeholder, a word that says what is wrong.
_NO_SECRET = re.compile(r"(?:arn:|<|\[|\*{3}|\$\{|%[A-Za-z_]+%|[A-Za-z]+[.!]?\Z|HIDDEN_DUE_TO)", re.IGNORECASE)


def redacted(text: str) -> str:
    """The text, at most MAX_TEXT characters of it, without whatever looks like a secret. Linear in its length.

    ARNs, UUIDs, request ids, hashes in hex and the ids of keys and roles stay as they are. Applying it twice
    changes nothing more.
    """
    return _BLOB.sub(_without_blob, redacted_name(text))


def redacted_name(text: str) -> str:
    """The same without the guess that a long random text is a secret: for ARNs, names and ids."""
    text = text[:MAX_TEXT]
    if len(text) < 8:
        return text
    lowered = text.lower()
    for hints, pattern, replace in _REPLACEMENTS:
        for hint in hints:
            if hint in lowered:
                text = pattern.sub(replace, text)
                break
    return text


def names_secret(path: str) -> bool:
    """Whether a dotted path of a record leads to or through a member that holds a secret."""
    return any(_plain(name) in SECRET_MEMBERS for name in path.split("."))


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()


def _without_pair(pair: re.Match[str]) -> str:
    value = pair["value"].strip("\\\"'")
    keep = not value
    if pair["joint"].endswith((":", ": ")):  # which sentences, ARNs and paths have, too
        keep = keep or bool(_NO_SECRET.match(value)) or pair.string[: pair.start()].endswith((":", "/"))
    return pair[0] if keep else f"{pair['name']}{pair['joint']}{GONE}"


def _without_blob(blob: re.Match[str]) -> str:
    """Random text turns between upper case, lower case and digits all the time; names, paths and UUIDs do not."""
    parts = [part for part in _JOINTS.split(blob[0]) if not _HEX.fullmatch(part)]
    text = "".join(parts)
    kinds = sum(any(map(test, text)) for test in (str.isupper, str.islower, str.isdigit))
    turns = len(_TURN.findall(text))
    if kinds < 3 or len(text) < _MIN_RANDOM:
        return blob[0]
    if _SECRET_KEY.fullmatch(blob[0]):
        return GONE if turns * 4 >= len(text) else blob[0]
    solid = len(text) >= 100 or max(map(len, parts)) >= 12
    return GONE if turns * 8 >= len(text) * 3 and solid else blob[0]


# Each pattern with what a text must contain, in lower case, to be worth a search: nearly no text does.
_NAMING = (
    "pass",
    "pwd",
    "secret",
    "api",
    "private",
    "connection",
    "token",
    "activation",
    "stream",
    "sig",
    "credential",
)
_REPLACEMENTS: tuple[tuple[tuple[str, ...], re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (("private key",), _PRIVATE_KEY, f"{GONE[:-1]} private key]"),
    (("://",), _LOGIN, GONE),
    (("bearer ", "basic ", "negotiate "), _BEARER, rf"\g<name> {GONE}"),
    (_NAMING, _PAIR, _without_pair),
    (_NAMING, _OPTION, rf"\g<head>{GONE}"),
    (("eyj",), _TOKEN, GONE),
    (("akia", "asia", "abia", "acca"), _KEY_ID, r"\g<kind>...\g<last>"),
)
