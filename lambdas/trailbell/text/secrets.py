"""Secrets in a record's free text are not passed on: each is replaced by a word for what it was.

CloudTrail hides most secrets of a request, but writes a few responses in plain text (a session's stream URL, an
activation code). A hit holds none of those members. What remains is text that anybody may have written: user
agents, error messages, names. Access key ids are cut to their last four characters, as everywhere.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import re

from trailbell.text.secret_commands import without_arguments
from trailbell.text.secret_markup import without_marked_up
from trailbell.text.secret_names import without_named
from trailbell.text.secret_tokens import GONE as GONE
from trailbell.text.secret_tokens import without_private_keys, without_tokens


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

_BLOB = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{32,}={0,2}")
_SECRET_KEY = re.compile(r"[A-Za-z0-9+/]{40}")  # the form of a secret access key
_JOINTS = re.compile(r"[/_+=-]")
_HEX = re.compile(r"[0-9a-f]*")
_MIN_RANDOM = 28
_TURN = re.compile(r"(?=[a-z][A-Z]|[A-Z][a-z]|[0-9][A-Za-z]|[A-Za-z][0-9])")


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
    text = without_tokens(without_private_keys(text))
    return without_named(without_marked_up(without_arguments(text)))


def names_secret(path: str) -> bool:
    """Whether a dotted path of a record leads to or through a member that holds a secret."""
    return any(_plain(name) in SECRET_MEMBERS for name in path.split("."))


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()


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
