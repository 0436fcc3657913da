"""What `trailbell local --keep` leaves running, remembered in .trailbell/local.json of the checkout."""

import json
from pathlib import Path

from trailbell.cli.local.local_aws import LocalAws
from trailbell.cli.paths import checkout
from trailbell.errors import SettingsError


def local_folder() -> Path:
    """Where the embedded AWS keeps its logs and its state."""
    return checkout() / ".trailbell"


def save_local(aws: LocalAws) -> None:
    """Remember a running embedded AWS."""
    state = {"endpoint": aws.endpoint, "pid": aws.pid, "log": str(aws.log)}
    _state_file().write_text(json.dumps(state), encoding="utf-8")


def load_local() -> LocalAws:
    """The embedded AWS that was kept running. Raises SettingsError when there is none."""
    try:
        state = json.loads(_state_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError("no embedded AWS is kept running: start one with `trailbell local --keep`") from None
    return LocalAws(state["endpoint"], state["pid"], Path(state["log"]))


def forget_local() -> None:
    """Forget it, once it is stopped."""
    _state_file().unlink(missing_ok=True)


def _state_file() -> Path:
    return local_folder() / "local.json"
