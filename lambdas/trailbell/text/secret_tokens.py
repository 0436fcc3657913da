"""Secrets that are known by their own form: tokens of vendors, signed tokens, private keys, logins in addresses.

Most tokens begin in a way that nothing else does; that table is made from a secret scanner's rules
(tools/token_forms.py). The few here have their mark elsewhere or are missing there.
https://docs.slack.dev/authentication/tokens https://developer.hashicorp.com/vault/docs/concepts/tokens
https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens
https://core.telegram.org/bots/api#authorizing-your-bot https://docs.discord.com/developers/reference#authentication
"""

import functools
import re
from collections.abc import Iterable, Iterator

from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.secret_members import GONE
from trailbell.text.token_forms import TOKEN_FORMS


# As in TOKEN_FORMS.
_MORE_FORMS = (
    *((f"xox{kind}-", 10, "-.") for kind in "abcdeoprs"),
    ("AC-", 30, "-_"),
    ("ATATT3", 20, "-_="),
    ("ATBB", 28, ""),
    ("ATCTT3", 20, "-_="),
    ("GOCSPX-", 20, "-_"),
    ("NRAK-", 20, ""),
    ("NRII-", 20, "-_"),
    ("NRJS-", 16, ""),
    ("dapi", 32, "-"),
    ("hvb.", 24, "-_"),
    ("hvr.", 24, "-_"),
    ("hvs.", 20, "-_"),
    ("pk_live_", 16, ""),
    ("pplx-", 32, ""),
    ("secret_", 40, ""),
    ("sk-ant-", 20, "-_"),
    ("tfp_", 32, "-_."),
    ("tskey-auth-", 16, "-_"),
    ("whsec_", 24, "+/="),
    ("ya29.", 20, "-_."),
)
_FORMS = {head: (least, signs) for head, least, signs in (*TOKEN_FORMS, *_MORE_FORMS)}
_WORDS = lazy_pattern(r"[A-Za-z0-9_.+/=-]{12,}")  # a token's signs are all here, and none is shorter
_SIGN = lazy_pattern(r"[^A-Za-z0-9]")
_MAX_LOOK = 64
_MIN_SOLID = 4  # characters without a sign between: v2 is still a word
_MIN_SHOUTED = 16

_TERRAFORM = lazy_pattern(r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,}")
_TELEGRAM = lazy_pattern(r"(?<![A-Za-z0-9])[0-9]{8,10}:AA[A-Za-z0-9_-]{32,36}")
_DISCORD = lazy_pattern(r"(?<![A-Za-z0-9])[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,45}")
_ENTRA = lazy_pattern(r"(?<![A-Za-z0-9_~.])[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}")
_PATHS = lazy_pattern(
    r"(?P<host>hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/"
    r"|\.webhook\.office\.com/webhookb2/|api\.telegram\.org/bot)(?!\[redacted)[^\s\"'<>]{8,}"
)
_HEX_KEY = lazy_pattern(r"(?<![A-Za-z0-9])(?:SK|key-)[0-9a-f]{32}(?![A-Za-z0-9])")  # Twilio, Mailgun
_PRIVATE_KEY = lazy_pattern(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)", re.DOTALL
)
_PUTTY_KEY = lazy_pattern(r"(?P<head>PuTTY-User-Key-File-[0-9]: ).*", re.DOTALL)
_LOGIN = lazy_pattern(
    r"(?P<head>://)(?!\[redacted)[^\s/@:\"'<>]{0,128}:(?![0-9]{1,5}(?:[/?#]|\Z))[^\s\"'<>@]{1,256}"
    r"(?:@[^\s\"'<>@/]{1,256})*(?=@)"
)
_SCHEME = lazy_pattern(r"\b(?P<name>Bearer|Basic|Negotiate) (?P<value>[A-Za-z0-9._~+/-]{16,}=*)", re.IGNORECASE)
_SIGNED = lazy_pattern(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*)*")
_KEY_ID = lazy_pattern(
    r"(?<![A-Za-z0-9])(?P<kind>AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{8,120}(?P<last>[A-Z0-9]{4})(?![A-Za-z0-9])"
)


# Each with what a text must contain to be worth a search, one sign of all such texts first: nearly no text does.
_MARKED = (
    (" ", ("earer ", "EARER ", "asic ", "ASIC ", "egotiate ", "EGOTIATE "), _SCHEME, rf"\g<name> {GONE}"),
    (".", ("eyJ",), _SIGNED, GONE),
    (".", (".atlasv1.",), _TERRAFORM, GONE),
    (":", (":AA",), _TELEGRAM, GONE),
    ("~", ("Q~",), _ENTRA, GONE),
    (".", ("M", "N", "O"), _DISCORD, GONE),
    (
        "/",
        ("/services/", "/workflows/", "/triggers/", "/webhook", "telegram.org/bot"),
        _PATHS,
        rf"\g<host>{GONE}",
    ),
    ("", ("SK", "key-"), _HEX_KEY, GONE),
    ("A", ("AKIA", "ASIA", "ABIA", "ACCA"), _KEY_ID, r"\g<kind>...\g<last>"),
)


def without_private_keys(text: str) -> str:
    """The text without private keys and logins in addresses, which end where they say and not at a word's end."""
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub(f"{GONE[:-1]} private key]", text)
    if "PuTTY-User-Key" in text:
        text = _PUTTY_KEY.sub(rf"\g<head>{GONE[:-1]} private key]", text)
    return _LOGIN.sub(rf"\g<head>{GONE}", text) if "://" in text and "@" in text else text


def without_tokens(text: str) -> str:
    """The text without tokens; of the id of an access key the kind and the last four characters stay."""
    find = _heads().search
    for word in _WORDS.findall(text):
        if find(word):
            text = "".join(_without_known(text))
            break
    for sign, marks, pattern, instead in _MARKED:
        if sign in text:
            for mark in marks:
                if mark in text:
                    text = pattern.sub(instead, text)
                    break
    return text


def _without_known(text: str) -> Iterator[str]:
    """The parts of the text, with a word in place of each token whose beginning is known."""
    done, start = 0, 0
    while head := _heads().search(text, start):
        end = _token_end(text, head[0], head.start())
        if end:
            yield text[done : head.start()] + GONE
            done = end
        start = end or head.end()
    yield text[done:]


def _token_end(text: str, head: str, start: int) -> int:
    """Where the token ends that begins there; 0 if it is too short for one, or a name made of words."""
    for size in range(len(head), 2, -1):
        if form := _FORMS.get(head[:size]):
            least, signs = form
            rest = _rest(least, signs).match(text, start + size)
            if rest and _is_random(rest[0]):
                return _rest(0, signs).match(text, rest.end()).end()  # type: ignore[union-attr]
    return 0


def _is_random(rest: str) -> bool:
    """A name may begin like a token, but is made of words: short, without digits, capitals at the front only."""
    for part in _SIGN.split(rest):
        if part.isalpha():
            word = part.islower() or part.istitle() or (part.isupper() and len(part) < _MIN_SHOUTED)
        else:
            word = part.isdigit()
        if len(part) >= _MIN_SOLID and not word:
            return True
    return False


@functools.cache
def _rest(least: int, signs: str) -> re.Pattern[str]:
    """What follows a beginning. So much is looked at first, and all of it only then: time stays linear."""
    most = max(least, _MAX_LOOK) if least else ""
    return re.compile(f"[A-Za-z0-9{re.escape(signs)}]{{{least},{most}}}")


@functools.cache  # made for the first text: a detector without hits never needs it
def _heads() -> re.Pattern[str]:
    """Finds the beginning of a token, the longest there."""
    return re.compile(f"(?<![A-Za-z0-9]){_tree(_FORMS)}")


def _tree(words: Iterable[str]) -> str:
    """A pattern for any of the words that looks at each character once: one branch for all that begin alike."""
    by_first: dict[str, list[str]] = {}
    for word in words:
        by_first.setdefault(word[:1], []).append(word[1:])
    whole = by_first.pop("", None)
    ways = [re.escape(first) + _tree(rests) for first, rests in sorted(by_first.items())]
    if not ways:
        return ""
    return f"(?:{'|'.join(ways)}){'?' if whole else ''}" if whole or len(ways) > 1 else ways[0]
