"""What to know about undoing an act: the rule's note, what holds for the event only, and commands that are new."""

from collections.abc import Iterator, Mapping, Sequence

from trailbell.cloudtrail.record import Record
from trailbell.engine.rulebook import Undo


# Commands that the AWS CLI has not had for long, and since when. Read off the models of botocore, which the AWS CLI
# is made of: 1.35.99 (January 2025) has no ssm-guiconnect, 1.43.11 (May 2026, AWS CLI 1.45.11) no cloud connectors.
_NEW: Mapping[str, str] = {
    "ssm-guiconnect": "2025",
    "ssm create-cloud-connector": "June 2026",
    "ssm delete-cloud-connector": "June 2026",
    "ssm get-cloud-connector": "June 2026",
    "ssm update-cloud-connector": "June 2026",
}
_NEW_BEGINNINGS = tuple(f"aws {command}" for command in _NEW)


def undo_note(undo: Undo, record: Record, steps: Sequence[str]) -> str:
    """The note for this record, of whose filled steps some may need a newer AWS CLI; "" if there is nothing to say."""
    own = [note for events, note in undo.notes if record.event_name in events] if undo.notes else []
    if steps:
        own += newer_cli(steps)
    return " ".join(filter(None, (undo.note, *own))) if own else undo.note


def newer_cli(steps: Sequence[str]) -> Iterator[str]:
    """A sentence for each kind of command that an older AWS CLI does not know."""
    if not any(step.startswith(_NEW_BEGINNINGS) for step in steps):
        return
    for since in dict.fromkeys(_NEW.values()):
        new = [command for command, date in _NEW.items() if date == since and _is_in(command, steps)]
        if new:
            yield f"{' and '.join(f'aws {command}' for command in new)} need an AWS CLI of {since} or later."


def _is_in(command: str, steps: Sequence[str]) -> bool:
    return any(f"{step} ".startswith(f"aws {command} ") for step in steps)
