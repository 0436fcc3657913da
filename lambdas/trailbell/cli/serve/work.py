"""What the page asks of hits: what changed, the story and the record of one, and to change its state."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from trailbell.cli.hits.state_changes import Said, change_hit, checked_note
from trailbell.cli.hits.story import story_document
from trailbell.cli.hits.story_reading import Around, read_story, record_or_reason
from trailbell.cli.hits.undo_reading import read_undo
from trailbell.cli.hits.undo_script import undo_document, undo_script
from trailbell.cli.serve.callers_aws import CallersAws
from trailbell.cli.serve.known_hits import KnownHits
from trailbell.cli.serve.watcher import Watcher
from trailbell.errors import SettingsError, StateError, TrailbellError
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import HitState
from trailbell.store.states import DynamoHitStates
from trailbell.text.times import iso_time


_LATER = "not asked for yet"


class UnknownHitError(TrailbellError):
    """The page asks for a hit that this process does not show, or that left the table."""


class RefusedError(TrailbellError):
    """What was asked for is not allowed, whatever the table holds."""


@dataclass(frozen=True, slots=True)
class Work:
    """All of it for one table. source: where the hits are from, for a person."""

    aws: CallersAws
    known: KnownHits
    watcher: Watcher
    source: str

    def changes(self, since: int) -> dict[str, Any]:
        """What changed after a number; that somebody asks keeps the watcher looking."""
        self.watcher.watched()
        limit = " Older hits are in the table and not here (--limit)." if self.known.left_out else ""
        return {
            "hits": self.known.since(since),
            "now": iso_time(datetime.now(UTC)),
            "source": self.source + limit,
            **self.watcher.standing(),
        }

    def story(self, ref: str) -> dict[str, Any]:
        """The story of a hit as `trailbell hit --format json` has it, without the record; with what undoes its alert.

        Raises UnknownHitError, and what botocore raises.
        """
        found, _ = self._find(ref)
        client, table, now = self.aws.client("dynamodb"), self.aws.table(), datetime.now(UTC)
        undo = read_undo(client, table, [found], iso_time(now))
        where = self.aws.options
        story = read_story(client, table, found, now, around=Around(), record=_LATER, where=where, undo=undo)
        self.known.take_states({found.identity: story.state}, [found])
        document = story_document(story, UTC)
        return {**document, "undo": undo_document(undo), "undoScript": "\n".join(undo_script(undo))}

    def record(self, ref: str) -> dict[str, Any]:
        """The record behind a hit, secrets hidden, as `record`; or `missing`, which says why it cannot be had."""
        found, _ = self._find(ref)
        record = record_or_reason(self.aws.client("s3"), found)
        return {"record" if isinstance(record, dict) else "missing": record}

    def change(self, ref: str, action: str, note: str, resolved_as: str, version: int) -> dict[str, Any]:
        """Change a hit's state as the commands do. version: of the state that was looked at.

        Raises RefusedError for a note that is too long or lacking, StateError where somebody else was faster or there
        is nothing to change, UnknownHitError, and what botocore raises.
        """
        try:
            said = Said(action, checked_note(note.strip()), resolved_as, version)
        except SettingsError as error:
            raise RefusedError(str(error)) from None
        if action == "note" and not said.note:
            raise RefusedError("write something into the note first")
        if resolved_as and action != "resolve":
            raise RefusedError("only what is resolved is false or confirmed")
        found, _ = self._find(ref)
        states = DynamoHitStates(self.aws.client("dynamodb"), self.aws.table())
        by = self.aws.caller()
        try:
            changed = change_hit(lambda now: self._find(ref), states, said, by)
        except StateError:
            self._take(found, states.read(found.identity)[0])  # so that every page shows what this one did not know
            raise
        self._take(changed.hit, changed.state)
        return {"said": changed.text, "state": changed.state.word, "version": changed.state.version}

    def retry(self) -> None:
        """Ask AWS again now."""
        self.watcher.hurry()

    def _take(self, hit: Hit, state: HitState) -> None:
        self.known.take_states({hit.identity: state}, [hit])

    def _find(self, ref: str) -> tuple[Hit, int]:
        """A hit that the page shows, as the table has it now, and when its row expires."""
        known = self.known.hit(ref)
        if known is None:
            raise UnknownHitError("this page shows no such hit any more: reload it")
        table = self.aws.table()
        try:
            return self.aws.find(known.hit.identity)
        except SettingsError as error:
            raise UnknownHitError(f"{error} (table {table})") from None
