"""What `trailbell local --keep` leaves running, remembered in .trailbell/local.json of the checkout."""

from pathlib import Path

import msgspec

from trailbell.cli.local.local_aws import LocalAws
from trailbell.cli.paths import checkout
from trailbell.errors import SettingsError


NOTHING = "no embedded AWS is kept running"


def local_folder(*, keep: bool) -> Path:
    """Where an embedded AWS keeps its logs; the kept one has a folder of its own, into which no other run writes."""
    return _folder() / ("kept" if keep else "once")


def save_local(aws: LocalAws) -> None:
    """Remember a running embedded AWS. Raises SettingsError when another one is remembered, which is left alone."""
    from trailbell.cli.local.process_mark import Kept, mark_of  # here, as psutil comes with an extra

    state = Kept(aws.endpoint, str(aws.log), mark_of(aws.pid))
    try:
        with _state_file().open("xb") as file:
            file.write(msgspec.json.encode(state))
    except FileExistsError:
        raise SettingsError("another embedded AWS was kept running in the meantime; this one is stopped") from None


def find_local() -> tuple[LocalAws | None, str]:
    """The embedded AWS that is kept running, or None and why not; one that is gone is forgotten.

    Raises SettingsError when what is remembered cannot be read.
    """
    file = _state_file()
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None, NOTHING
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    aws, strangeness = _remembered(content)
    if aws:
        return aws, ""
    forget_local()
    return None, f"{NOTHING} ({strangeness}; {file} is removed)"


def load_local() -> LocalAws:
    """The embedded AWS that is kept running. Raises SettingsError when there is none; one that is gone is forgotten."""
    aws, why = find_local()
    if aws is None:
        raise SettingsError(f"{why}: start one with `trailbell local --keep`")
    return aws


def forget_local() -> None:
    """Forget it, once it is stopped."""
    _state_file().unlink(missing_ok=True)


def _remembered(content: bytes) -> tuple[LocalAws | None, str]:
    """What a state file remembers if it is still running, or None and what became of it."""
    from trailbell.cli.local.process_mark import Kept  # here, as psutil comes with an extra

    try:
        state = msgspec.json.decode(content, type=Kept)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None, "what was remembered says not surely which process; if one still runs, end it yourself"
    strangeness = state.process.strangeness()
    return (None, strangeness) if strangeness else (LocalAws(state.endpoint, state.process.pid, Path(state.log)), "")


def _folder() -> Path:
    return checkout() / ".trailbell"


def _state_file() -> Path:
    return _folder() / "local.json"
