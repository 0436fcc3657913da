"""Secrets in what is neither name=value nor a command: XML, names beside values, sentences, SQL, encoded commands.

Whether a name says secret is decided as everywhere (secret_names.py).
https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_powershell_exe
"""

import re

from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.secret_members import GONE
from trailbell.text.secret_names import kind_of_name


_ELEMENT = lazy_pattern(
    r"(?P<head>(?:<|&lt;|\\u003c)(?:[\w.-]{1,40}:)?(?P<name>[\w.-]{2,64}+)(?:\s[^<>]{0,200}?)?(?:>|&gt;|\\u003e)"
    r"\s{0,8}(?:<!\[CDATA\[)?)(?!\[redacted)(?P<value>(?:(?!&lt;|\\u003c|\]\]>)[^<])+)"
)
# {"name": "DB_PASSWORD", "value": "x"}, <add key="Password" value="x"/>, - name: PASSWORD, value: x
_NAME_VALUE = lazy_pattern(
    r"(?P<head>(?:name|key|id)[\\\"']{0,4}\s{0,2}[:=]\s{0,2}[\\\"']{0,4}(?P<name>[\w.-]{2,64}+)[\\\"']{0,4}"
    r"(?:[\s,;-]|\\[rn]){0,40}[\\\"']{0,4}(?:value|ParameterValue)s?[\\\"']{0,4}\s{0,2}[:=]\s{0,2}(?!\[redacted)\[?)"
    r"""(?![\\"']{0,4}\[redacted)(?:\\+"(?:[^"\\]|\\[^"\\])*(?:\\+"|\Z)|"(?:[^"\\]|\\.)*(?:"|\Z)"""
    r"""|'[^']*(?:'|\Z)|[^\s"',;&<>)}\]\\]+)""",
    re.IGNORECASE | re.DOTALL,
)
_PROPERTY = lazy_pattern(
    r"(?P<head>\b(?:name|key|id)=[\\\"']{1,4}(?P<name>[\w.-]{2,64}+)[\\\"']{1,4}[^<>]{0,100}?(?<!/)>\s{0,8})(?!\[redacted)[^<]+",
    re.IGNORECASE,
)
_SPOKEN = lazy_pattern(
    r"(?P<head>(?<![\w/.-])(?:password|passwd|passphrase|passwort|kennwort|pwd|contraseña|contrasena|mot de passe|senha"
    r"|wachtwoord|hasło|passcode|secret key|access key|api key|geheimnis|otp|totp|pin|tan"
    r"|einmal(?:kennwort|passwort|code)"
    r"|(?:one[- ]time|mfa|2fa|verification|security|login|auth|authentication|access) (?:password|passcode|code|pin))"
    r"(?:[ \t](?:is|was|to|of|code|ist|lautet|war|est|es|é|auf))?[ \t]{1,4})"
    r"(?!\[redacted)(?P<value>\"[^\"\n]{1,200}\"|'[^'\n]{1,200}'|[^\s\"',;]{3,200})",
    re.IGNORECASE,
)
_SPOKEN_SECRET = lazy_pattern(r"(?=.*[0-9])(?:[\"'].*|.*[A-Za-z].*|[0-9]{4,10}[.!]?\Z)", re.DOTALL)
_SPOKEN_KEY = lazy_pattern(
    r"(?P<head>(?<![\w/.:-])(?:key|secret|token|seed|schl(?:ü|ue)ssel|clave|clé)(?:[ \t](?:is|was|ist|lautet|est|es))?"
    r"[ \t]{1,4}[\"'(]?)[0-9a-f]{32,}+(?![\w-])",
    re.IGNORECASE,
)
_LISTED = lazy_pattern(
    r"(?P<head><key>(?P<name>[\w.-]{2,64}+)</key>\s{0,16}<(?:string|data)>\s{0,16})(?!\[redacted)[^<]+", re.IGNORECASE
)  # of Apple's property lists
_SQL = lazy_pattern(
    r"(?P<head>\b(?:identified(?: with [\w'\"]{1,40})? (?:by|as)(?: password)?|requirepass|masterauth"
    r"|(?:with|encrypted|set|login|user \S{1,64}) password(?: for \S{1,80})?)"
    r"(?:[ \t]{0,2}=)?[ \t\n]{0,4}(?:password\()?[ \t]?)(?!\[redacted)"
    r"(?:'[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z)|(?<=by |ss |th )[^\s'\";]+)",
    re.IGNORECASE,
)
_ENCODED = lazy_pattern(
    r"(?P<head>\s-e(?:c|n|nc|ncodedcommand|ncodedarguments)?\s{1,4}[\"']?|frombase64string\(\s?\\*[\"']|;base64,"
    r"|base64\s(?:-d|-D|--decode)\s?<<<\s?[\"']?)(?P<value>[A-Za-z0-9+/_-]{16,}={0,2})",
    re.IGNORECASE,
)
_PIPED = lazy_pattern(
    r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{12,}+={0,2}"
    r"(?P<tail>[\"']?\s{0,4}\|\s{0,4}(?:base64\s{1,4}(?:-d|-D|--decode)|openssl\s))"
)
_CREDENTIAL = lazy_pattern(
    r"(?P<head>(?:pscredential|networkcredential)(?:\]::new)?\s?"
    r"\(\s?(?:\"[^\"]{0,80}\"|'[^']{0,80}'|\$[\w.]{1,80})\s?,\s?)(?!\[redacted)(?:\"[^\"]*\"|'[^']*')",
    re.IGNORECASE,
)


def without_marked_up(text: str) -> str:
    """The text without secrets in elements, attributes, pairs of a name and a value, sentences and SQL."""
    lowered = text.lower()
    if not any(mark in lowered for mark in _MARKS):
        return text  # a name, as most texts are
    if "<" in text or "&lt;" in text or "\\u003c" in lowered:
        for pattern in (_ELEMENT, _PROPERTY, _LISTED):
            text = pattern.sub(_without_named, text)
    if "value" in lowered:
        text = _NAME_VALUE.sub(_without_named, text)
    if any(word in lowered for word in _SPOKEN_HINTS):
        text = _SQL.sub(rf"\g<head>{GONE}", _SPOKEN.sub(_without_spoken, text))
    if any(word in lowered for word in _KEY_HINTS):
        text = _SPOKEN_KEY.sub(rf"\g<head>{GONE}", text)
    if "credential" in lowered:
        text = _CREDENTIAL.sub(rf"\g<head>{GONE}", text)
    if "base64" in lowered or " -e" in lowered:
        text = _PIPED.sub(rf"{GONE}\g<tail>", _ENCODED.sub(rf"\g<head>{GONE}", text))
    return text


_MARKS = (" ", "\t", "\n", "<", "=", "&lt;", "value", "\\u003c", "base64")
# In lower case; a sentence that has none of them speaks of no secret.
_SPOKEN_HINTS = (
    *"pass kennwort pwd contrase senha wachtwoord hasło geheimnis identified masterauth einmal".split(),
    *("secret key ", "access key ", "api key ", "otp ", "pin ", "tan ", "code "),
)
_KEY_HINTS = ("key ", "secret ", "token ", "seed ", "ssel ", "clave ", "clé ")


def _without_named(found: re.Match[str]) -> str:
    secret = kind_of_name(found["name"], found["name"]) in ("password", "secret", "code")
    return f"{found['head']}{GONE}" if secret else found[0]


def _without_spoken(found: re.Match[str]) -> str:
    """Sentences speak of passwords, too: only what has digits and letters, or is in quotes, is one."""
    return f"{found['head']}{GONE}" if _SPOKEN_SECRET.match(found["value"]) else found[0]
