"""Passwords where programs take them: curl -u, mysql -p, net user, echo ... | chpasswd, ConvertTo-SecureString.

A text is read word by word, once. Options that are called after what they take (--password) are known by their name
(secret_names.py); here are the others, from the programs' own manuals.
https://curl.se/docs/manpage.html https://dev.mysql.com/doc/refman/8.4/en/password-security-user.html
https://learn.microsoft.com/windows-server/administration/windows-commands/net-user
https://learn.microsoft.com/powershell/module/microsoft.powershell.security/convertto-securestring
https://man7.org/linux/man-pages/man8/chpasswd.8.html
"""

import re
from collections.abc import Iterator
from dataclasses import field

from trailbell.lazy_dataclass import dataclass
from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.secret_members import GONE


# Programs: options whose next word is secret; a trailing + means that it may, or must, follow at once (-pSECRET).
_OPTIONS = {
    "curl": "-u+ --user -U+ --proxy-user --oauth2-bearer -b+ --cookie",
    "httpie xh": "-a+ --auth",
    "sshpass nxc netexec crackmapexec evil-winrm psexec psexec64 paexec rdesktop": "-p+ -H+",
    "redis-cli keydb-cli valkey-cli": "-a+ auth",
    "mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat": "-p+",
    "skopeo": "--creds --src-creds --dest-creds",
    "az": "-p --value",
    "aws": "--value --plaintext --secret-binary --environment --user-data --parameters",
    "gh": "--body -b",
    "kubectl": "--from-literal",
    "ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldapcompare ldapmodrdn": "-w+",
    "ldappasswd": "-w+ -s+ -a+",
    "smbclient rpcclient smbmap": "-u+ -U+ -p+",
    "lftp": "-u+",
    "xfreerdp wfreerdp xfreerdp3": "/p:+ /pth:+",
    "plink pscp psftp putty kitty": "-pw",
    "schtasks cmdkey wmic winrs": "/rp /p /p:+ /pass /pass:+ /password:+ /password -p:+",
    "sqlcmd bcp osql tsql ipmitool mosquitto_pub mosquitto_sub zip unzip": "-P+",
    "snmpwalk snmpget snmpset": "-c+ -A+ -X+",
    "openssl": "-pass -passin -passout -k -K",
    "keytool jarsigner": "-storepass -keypass -srcstorepass -deststorepass -srckeypass -destkeypass -new",
    "useradd usermod adduser": "-p+",
    "psql": "-W+",
    "convertto-securestring": "-string",
}
_LOGIN_OPTIONS = {"docker podman nerdctl buildah helm oras crane": "-p+"}  # docker run -p is a port
_ATTACHED = {  # only at once: the next word is a file, or a data base
    "mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlsh mysqlcheck mariadb mariadb-dump mariadb-admin": "-p",
    "7z 7za 7zr rar unrar": "-p",
}
# Programs and the word before a secret one, and how many words are between.
_PLACES = {
    ("net", "user"): 1,
    ("net1", "user"): 1,
    ("net", "use"): 1,
    ("vault", "login"): 0,
    ("mysqladmin", "password"): 0,
    ("openssl", "passwd"): 0,
    ("rclone", "obscure"): 0,
    ("convertto-securestring", ""): 0,
    ("htpasswd", ""): 2,
    ("sqlplus", ""): 0,
    ("expdp", ""): 0,
    ("impdp", ""): 0,
}
_READERS = frozenset(
    "chpasswd passwd smbpasswd sudo su cryptsetup kinit --password-stdin --stdin convertto-securestring".split()
)
_WRITERS = frozenset("echo printf yes echo.".split())


def _by_program(table: dict[str, str]) -> dict[str, frozenset[str]]:
    return {name: frozenset(options.split()) for names, options in table.items() for name in names.split()}


_NEXT, _NEXT_AT_LOGIN, _AT_ONCE = _by_program(_OPTIONS), _by_program(_LOGIN_OPTIONS), _by_program(_ATTACHED)
_PLACED = {program for program, _ in _PLACES}
_PROGRAMS = frozenset((*_NEXT, *_NEXT_AT_LOGIN, *_AT_ONCE, *_PLACED, *_READERS))
_PROGRAM_WORDS = _PROGRAMS | {f"{name}.exe" for name in _PROGRAMS}
_TO_SPACES = str.maketrans(dict.fromkeys("\"',;|&<>()[]{}\\/", " "))
_PIECE = lazy_pattern(
    r"(?P<end>\\?[\r\n]|\\[rn]|&&|\|\||[;|&])|(?P<here><<-?[\"'\\]{0,2}(?P<mark>\w+)|<<<)"
    r"|[^\s\"',;|&<>()\[\]{}\\]+|\\"
)
_WORD = (
    r"""(?P<word>(?!\[redacted)(?:\\+"(?:[^"\\]|\\[^"\\])*(?:\\+"|\Z)|"(?:[^"\\]|\\.)*(?:"|\Z)"""
    r"""|\$?'(?:[^'])*(?:'|\Z)|[^\s"'|;&<>()\[\]{}\\]+))"""
)
_HERE = lazy_pattern(_WORD, re.DOTALL)
_NEXT_WORD = lazy_pattern(rf"""[\\"']*+,?+\s*+{_WORD}""", re.DOTALL)
_REST_OF_LINE = lazy_pattern(r"[\"']?[^\n\\]*(?:\n|\\n)?")
_PIPED_STRING = lazy_pattern(
    r"""(?:'[^'\n]{0,400}'|"[^"\n]{0,400}"|[^\s'"|]{1,400}+)"""
    r"(?P<pipe>[ \t]{0,8}\|[ \t]{0,8}ConvertTo-SecureString)",
    re.IGNORECASE,
)
_SET = lazy_pattern("secret|token|key$", re.IGNORECASE)
_MAX_LINE = 200  # characters behind <<EOF in which a program may read it: cat <<EOF | chpasswd
_MAX_ARGUMENTS = 24  # words after a program that are looked at


@dataclass(slots=True)
class _Command:
    """The program whose words are read: its arguments that are no options so far."""

    program: str = ""
    words: list[str] = field(default_factory=list)
    count: int = 0


def without_arguments(text: str) -> str:
    """The text without what programs are given as passwords, and what is piped to those that read them."""
    lowered = text.lower()
    if _PROGRAM_WORDS.isdisjoint(lowered.translate(_TO_SPACES).split()):
        return text
    if "securestring" in lowered and "|" in text:
        text = _PIPED_STRING.sub(rf"{GONE}\g<pipe>", text)
    parts: list[str] = []
    done = 0
    for start, end in _secrets(text):
        if start >= done:
            parts += (text[done:start], GONE)
            done = end
    return "".join((*parts, text[done:]))


def _secrets(text: str) -> Iterator[tuple[int, int]]:
    """Where secrets stand, in order."""
    command, position = _Command(), 0
    written = piped = -1  # where the words of the first echo begin, and where the last pipe is
    while piece := _PIECE.search(text, position):
        position = piece.end()
        if piece["here"]:
            line = text[position : position + _MAX_LINE].partition("\n")[0].partition("\\n")[0]
            read = command.program in _READERS or not _READERS.isdisjoint(line.translate(_TO_SPACES).split())
            if read and (span := _here(text, piece)):
                yield span
                position = max(span[1], position)
        elif piece["end"]:
            piped = piece.start() if piece["end"] == "|" else piped
            command = command if piece["end"].startswith("\\\n") else _Command()
        else:
            word = piece[0].lower()
            name = word.rpartition("/")[2].removesuffix(".exe")
            if name in _WRITERS and written < 0:
                written = position
            elif name in _READERS and 0 <= written < piped:
                yield _trimmed(text, written, piped)
                written = -1
            if name in _PROGRAMS and name != command.program and not name.startswith("-") and not _is_argument(command):
                command = _Command(name)
            elif command.program and (span := _argument(text, command, piece)):
                yield span
                position = max(span[1], position)


def _is_argument(command: _Command) -> bool:
    """Whether the program's next word may be called like a program: net user."""
    return command.program in ("net", "net1", "openssl") and not command.words


def _argument(text: str, command: _Command, piece: re.Match[str]) -> tuple[int, int] | None:
    """Where the secret is that this word of a command is or announces."""
    word, program = piece[0], command.program
    command.count += 1
    if command.count > _MAX_ARGUMENTS or text[piece.start() - 1] == "\\":  # the rest of a path
        return None
    options = _NEXT.get(program, frozenset())
    if "login" in command.words:
        options |= _NEXT_AT_LOGIN.get(program, frozenset())
    if span := _after_option(text, piece, options, _AT_ONCE.get(program, frozenset())):
        return span
    if word[0] in "-/+" or word.endswith(":") or (word == "\\" and not text[piece.start() - 1].isspace()):
        return None
    command.words.append(word.lower())
    return _in_place(text, command, piece)


def _in_place(text: str, command: _Command, piece: re.Match[str]) -> tuple[int, int] | None:
    """Where the secret is if this word is one by its place, or names one that is set."""
    words, program = command.words, command.program
    if program == "aws" and words[-3:-1] == ["configure", "set"]:
        return _value(text, piece.end()) if _SET.search(piece[0]) else None
    if _PLACES.get((program, "")) == len(words) - 1 or _PLACES.get((program, words[0])) == len(words) - 2 >= 0:
        return _whole(text, piece)
    return None


def _after_option(
    text: str, piece: re.Match[str], options: frozenset[str], attached: frozenset[str]
) -> tuple[int, int] | None:
    """Where the secret is if this word is an option that takes one, alone (-u), among others (-su) or at once (-uX)."""
    word = piece[0]
    quoted = text[piece.start() - 1 : piece.start()] in ("'", '"')
    opened = not quoted and text[piece.end() : piece.end() + 1] in ("'", '"')  # -p"a b"
    for option in (*options, *(f"{name}+" for name in attached)):
        name = option.removesuffix("+")
        head = name if option.endswith("+") else f"{name}="
        if opened and word in (head, f"{name}="):
            return _here_word(text, piece.end())
        if word.startswith(head) and len(word) > len(head):
            start = piece.start() + len(head) + (word[len(head)] == "=" and not word.startswith("--"))
            return None if text.startswith(GONE, start) else _here_word(text, start, piece.end())
    flags = word[:1] == "-" and 2 < len(word) < 6 and word[1:].isalpha() and f"-{word[-1]}+" in options
    if flags or not {word, f"{word}+", word.lower()}.isdisjoint(options):
        return _value(text, piece.end())
    return None


def _here_word(text: str, start: int, end: int = 0) -> tuple[int, int]:
    """The word that begins there, with its quotes; it ends there or later."""
    word = _HERE.match(text, start)
    return start, max(word.end() if word else start, end)


def _whole(text: str, piece: re.Match[str]) -> tuple[int, int] | None:
    """The whole of a word in quotes, of which the piece is the first part."""
    start, quote = piece.start(), text[piece.start() - 1]
    if piece[0] in ("*", "\\", "redacted"):
        return None
    end = text.find(quote, start) if quote in "'\"" else piece.end()
    return start, len(text) if end < 0 else end


def _value(text: str, position: int) -> tuple[int, int] | None:
    """The word that follows, with its quotes; None if that is an option."""
    value = _NEXT_WORD.match(text, position)
    return value.span("word") if value and not value["word"].startswith("-") else None


def _here(text: str, piece: re.Match[str]) -> tuple[int, int] | None:
    """What follows <<<, or the lines up to the mark of <<."""
    if not piece["mark"]:
        return _value(text, piece.end())
    line = _REST_OF_LINE.match(text, piece.end())
    begin = line.end() if line else piece.end()
    stop = re.compile(rf"(?:\n|\\n)\s*{piece['mark']}\b").search(text, begin)
    return begin, stop.start() if stop else len(text)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    words = text[start:end]
    return start + len(words) - len(words.lstrip()), end - (len(words) - len(words.rstrip()))
