"""Secrets that are known by the name before them: password=..., "clientSecret": "...", --token ..., <Kennwort>...</>.

Names are English, and the words for passwords and keys in the languages that people write to AWS in. A name may have
anything before it (DB_PASSWORD) and a little behind it (password2). Looked for is what joins a name to its value, of
which a text has few; so time is linear, and does not depend on how many words are known.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator

from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.secret_members import GONE


def _accentless(text: str) -> str:
    if text.isascii():
        return text
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


# Without accents, signs and spaces, as `kind_of_name` makes names.
_PASSWORDS = tuple(
    _accentless(
        "password passwd passwort passphrase passcode passkey pwd kennwort losungswort zugangscode motdepasse mdp "
        "contrasena contrasenya senha palavrapasse paroladordine wachtwoord haslo hasło heslo jelszo losenord lozinka "
        "sshpass ftppass userpass dbpass smtppass mailpass rootpass adminpass mypass storepass keypass proxypass "
        "httppass adgangskode passord salasana sifre şifre пароль пароля κωδικος パスワード 密码 密碼 口令 비밀번호 "
        "u00f1a u00f6senord c3b1a"  # contraseña and lösenord as JSON and addresses write them
    ).split()
)
_SECRETS = tuple(
    _accentless(
        "secret secretkey secretaccesskey secretstring secrettext secretvalue apikey appkey applicationkey privatekey "
        "accesskey accountkey authkey clientkey connectionkey consumerkey encryptionkey decryptionkey hmackey "
        "licensekey licencekey masterkey rootkey servicekey sharedkey signingkey sshkey storagekey unlockkey unsealkey "
        "recoverykey hostkey joinkey symmetrickey wrappingkey subscriptionkey functionkey functionskey deploykey "
        "productkey bitlockerkey token tokenvalue activationcode streamurl signature xamzcredential credential "
        "credentials connectionstring connstr authorization cookie jsessionid phpsessid communitystring requirepass "
        "masterauth ntlm nthash lmhash passwordhash pwhash keymaterial keydata sastoken rediscliauth "
        "geheimnis geheimnisse geheimwort schlussel schluessel u00fcssel c3bcssel zugangsdaten anmeldedaten "
        "jeton secreto segredo segreto identifiants credenciales credenciais credenziali hemlighet sekret tajemnica "
        "секрет токен ключ clesecrete cleprivee cleapi cledacces claveprivada clavesecreta claveapi clavedeacceso "
        "llaveprivada llavesecreta chaveprivada chavesecreta chaveapi chiaveprivata chiavesegreta chiaveapi clave "
        "parola geheimesleutel"
    ).split()
)
_CODES = tuple(
    (
        "otp mfacode 2facode tfacode tokencode otpcode otptoken onetimecode onetimepassword onetimepasscode onetimepin "
        "einmalkennwort einmalpasswort einmalcode verificationcode securitycode authcode authenticationcode "
        "authenticatorcode authorizationcode confirmationcode recoverycode backupcode accesscode devicecode usercode "
        "logincode smscode pincode pinnumber bestatigungscode bestaetigungscode sicherheitscode verifizierungscode "
        "codedeverification codedesecurite codigodeverificacion codigodeverificacao codicediverifica"
    ).split()
)
_SHORT_PASSWORDS = frozenset("pass pw psk".split())  # whole words of a name only: bypass, compass
_SHORT_SECRETS = frozenset("sig bearer jwt".split())
_SHORT_CODES = frozenset("pin tan mfa 2fa".split())
_KEYS = frozenset("key hash salt seed nonce hmac chave chiave llave cle sleutel klucz nyckel avain material".split())
_NO_NAMES = ("nexttoken", "paginationtoken", "continuationtoken", "markertoken")  # where a list goes on

_NEAR = 20  # characters before a name that may belong to it
_MAX_BEGINNING = 64  # characters, in which ARNs have said all but the resource
_NAMED = lazy_pattern(
    r"(?<![\w.-])(?P<name>[\w.-]++)(?P<joint>(?:[\\\"']{1,4}\]?|&quot;|%22)?[ \t\r\n]{0,3}"
    r"(?:=>|:=|[=:\uff1a]|%3[ADad]|\\u003[ad])[ \t\r\n]{0,8}+)"
)
_OPTION = lazy_pattern(
    r"(?<![^\s\"'=(\[,;|])--?(?P<name>[A-Za-z][\w-]{0,40}+)(?:[\\\"']{1,3},[ \t\r\n]{0,8}(?=[\\\"'])|[ \t]{1,8}+)(?!-)"
)
# In quotes, in the quotes of JSON inside JSON or of HTML, or up to the end of a word.
_VALUE = lazy_pattern(
    r"""(?:"(?:[^"\\]|\\.)*(?:"|\\?\Z)|\\+"(?:[^"\\]|\\[^"\\])*(?:\\+"|\\*\Z)|'[^']*(?:'|\Z)|`[^`]*(?:`|\Z)"""
    r"""|&quot;(?:[^&]|&(?!quot;))*|%22[^\s"'&]*?(?=%22|[\s"'&]|\Z)|[^\s"'`,;&<>)}\]\\|]+)""",
    re.DOTALL,
)
_SCHEME = lazy_pattern(
    r"(?:Bearer|Basic|Negotiate|Token|Digest|ApiKey|AWS4-HMAC-SHA256)\s{1,4}[^\s\"'\\]+", re.IGNORECASE
)
_GROUPED = lazy_pattern(r"[0-9]{2,4}(?:[ -][0-9]{2,4}){1,3}(?![0-9])")
_FOREIGN = lazy_pattern(r"[^a-z0-9\u0080-\U0010ffff]")
_BEHIND = lazy_pattern(
    r"(?<=[^\W\d_])(?:[_-]?(?:base|prod|dev|test|stage|old|new|current|previous|plain|clear|text|value|b64|base64|hash)|[_-]?[0-9]{1,2})\Z"
)
_WORD = lazy_pattern(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+")

_MAX_LOOK = 512  # of a value, before it is taken for one: else "key=key=key=..." would be read again and again

_STATED = lazy_pattern(
    r"(?:arn:|<|\[|\*{3}|\$\{|\{\{|%[A-Za-z_]+%|HIDDEN_DUE_TO|(?:null|none|true|false|undefined|n/a)\Z)", re.IGNORECASE
)  # an ARN, a placeholder, nothing
_STATUS = lazy_pattern(
    r"(?:expired?|invalid|incorrect|wrong|missing|required?|empty|not|must|should|may|can(?:not)?|is|was|has|does|did|the|an?|too"
    r"|policy|change[ds]?|reset|rotat\w*|fail\w*|ok|enabled|disabled|update[ds]?|provided|denied|unknown|abgelaufen|falsch|fehlt|ist|no)[.,!:]?\Z",
    re.IGNORECASE,
)  # a word that says what is wrong
_PLAIN = lazy_pattern(r"[A-Za-z]+[.!]?\Z")
_ID = lazy_pattern(
    r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}|alias/.*|(?:AKIA|ASIA|ABIA|ACCA|A[A-Z]{3})[A-Z0-9.]{12,})\Z",
    re.DOTALL,
)  # what AWS calls a key by
_RANDOM = lazy_pattern(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+/_-]{24,}={0,2}\Z")
_DIGITS = lazy_pattern(r"[0-9](?:[ -]?[0-9]){3,11}\Z|(?=[^0-9]*[0-9])[A-Za-z0-9-]{4,16}\Z")


def without_named(text: str) -> str:
    """The text without the values of names that say they are secret."""
    if ("=" in text or ":" in text or "\uff1a" in text or "%3" in text or "u003" in text) and not _names_none(text):
        text = "".join(_parts(text, _NAMED))
    return "".join(_parts(text, _OPTION)) if "-" in text and (" " in text or "," in text or "\t" in text) else text


def _names_none(text: str) -> bool:
    """Whether what stands before the last joint names no secret, as the same few beginnings of ARNs do; False where a
    closer look is needed. Names are judged by what is before them, so what follows the last joint changes nothing.
    """
    if "%3" in text or "u003" in text:
        return False
    end = max(text.rfind("="), text.rfind(":"), text.rfind("\uff1a")) + 1
    return end <= _MAX_BEGINNING and _is_harmless(text[:end])


@functools.lru_cache(1024)
def _is_harmless(beginning: str) -> bool:
    """Whether no name in a text that ends with a joint says that its value is secret."""
    start = 0
    while named := _NAMED.search(beginning, start):
        start = named.end()
        if kind_of_name(beginning[max(named.start("name") - _NEAR, 0) : named.end("name")], named["name"]):
            return False
    return True


def _parts(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    """The parts of the text, with a word in place of each secret value."""
    done, start = 0, 0
    while named := pattern.search(text, start):
        start = named.end()
        if kind := kind_of_name(text[max(named.start("name") - _NEAR, done) : named.end("name")], named["name"]):
            several = {"secret": _SCHEME, "code": _GROUPED}.get(kind)  # words
            scheme = several.match(text, start) if several else None
            value = scheme or _VALUE.match(text, start, start + _MAX_LOOK)
            if value and not _is_told(named, kind, value[0]):
                yield text[done:start] + GONE
                done = start = (scheme or _VALUE.match(text, start) or value).end()
    yield text[done:]


def _is_told(named: re.Match[str], kind: str, given: str) -> bool:
    """Whether the value is no secret but says something about one, or names it."""
    value = given.strip("\\\"'`")
    if not value or GONE[:-1] in value or _STATED.match(value):
        return True
    joint = named.groupdict().get("joint", "=")
    if ":" in joint or "\uff1a" in joint:  # which sentences, ARNs and paths have, too
        before = named.string[: named.start("name")][-2:]
        if before[-1:] in (":", "/") and not before[:1].isspace() and len(before) > 1:
            return True
        if given == value and (_PLAIN.match(value) if kind == "secret" else _STATUS.match(value)):
            return True
    if kind == "key":
        return not _RANDOM.match(value) or bool(_ID.match(value))
    if kind == "code":
        return not _DIGITS.match(value)
    return kind == "secret" and bool(_ID.match(value)) and named["name"].lower().endswith(("key", "ssel", "clave"))


@functools.lru_cache(2048)
def kind_of_name(near: str, name: str) -> str:
    """What a name says of its value: password, secret, code, key (only if the value looks like one); or ""."""
    folded = _BEHIND.sub("", _accentless(near.lower()))
    folded = _FOREIGN.sub("", folded)
    last = _last_word(name)
    if folded.endswith(_CODES) or last in _SHORT_CODES:
        return "code"
    if folded.endswith(_PASSWORDS) or last in _SHORT_PASSWORDS:
        return "password"
    if folded.endswith(_SECRETS) or last in _SHORT_SECRETS:
        return "" if folded.endswith(_NO_NAMES) else "secret"
    return "key" if last in _KEYS else ""


def _last_word(name: str) -> str:
    """The last word of a name in snake, kebab or camel case, in lower case."""
    words = _WORD.findall(_accentless(_BEHIND.sub("", name)))
    return words[-1].lower() if words else ""
