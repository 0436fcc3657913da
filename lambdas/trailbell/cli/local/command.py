"""`trailbell local`: the real stack, deployed by the real CDK into an embedded AWS, doing its real job."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console

from trailbell.cli.local.deployment import STACK, bootstrap, deploy
from trailbell.cli.local.expectation import Expectation, expectation_for
from trailbell.cli.local.inbox import Inbox
from trailbell.cli.local.late_act import late_act
from trailbell.cli.local.live import is_drained, send_live_events, wait_until
from trailbell.cli.local.local_aws import LocalAws
from trailbell.cli.local.mailbox import Mailbox
from trailbell.cli.local.outcome import compare, kept_hits, print_hits
from trailbell.cli.local.put_forward import put_forward
from trailbell.cli.local.running_aws import running_aws, stop_kept
from trailbell.cli.local.shifted_files import shift_to_this_morning
from trailbell.cli.local.summary import next_commands, print_next, summary
from trailbell.cli.paths import checkout
from trailbell.cli.scan.log_files import find_log_files
from trailbell.cli.terminal.console import console
from trailbell.cli.terminal.steps import step
from trailbell.cloudtrail.object_key import ObjectKind, classify_key
from trailbell.ops.deployed_stack import DeployedStack
from trailbell.store.query.hit_query import FoundHit
from trailbell.text.times import iso_time, utc_now


TRAIL_BUCKET = "trailbell-local-trail"
_ADDRESS = "oncall@example.com"
_ORGANIZATION = "o-trailbelllocal"  # log files may be of any account, and so may live events
_TOGETHER = timedelta(minutes=10)
_REMINDER_HOURS = (24,)  # the setting's default


@click.command()
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--keep", is_flag=True, help="Keep everything running until `trailbell local --stop`.")
@click.option("--stop", "stop_only", is_flag=True, help="Stop what --keep left running.")
def local(path: Path | None, keep: bool, stop_only: bool) -> None:
    """Try the product on this machine: no AWS account, no Docker.

    Starts an embedded AWS on 127.0.0.1, deploys the real stack into it with the real CDK, puts the log files
    of PATH (default: examples/) into the trail bucket, and prints each alert as it would be mailed, what is said
    of acts later (undone, a reminder), and the hits in the table. Of the examples one act also comes by a live event,
    once before its log file and once after it.

    \b
    Example:
      trailbell local --keep
      trailbell hits --local
    """
    if stop_only:
        stop_kept()
        return
    out = console()
    with TemporaryDirectory() as folder:
        found = find_log_files([path or _examples_of_this_morning(Path(folder))])
        with running_aws(out, keep=keep) as aws:
            deployed = _deployed(out, aws)
            mailbox = Mailbox(out, Inbox(aws, deployed.output("AlertTopic")), _ADDRESS)
            expected = expectation_for(f"trail_buckets={TRAIL_BUCKET}")
            expected.read(found.files, utc_now())
            _play(out, aws, mailbox, expected, found.everything)
            if path is None:
                _play_again(out, aws, mailbox, expected)
            _remind(out, aws, mailbox, expected, deployed.output("ClockFunction"))
            if path is None:
                _play_live(out, aws, mailbox, expected, deployed)
            kept = kept_hits(aws, deployed.output("HitTable"), expected)
            _await_episodes(mailbox, kept)
    print_hits(out, kept)
    reminders = compare(expected, kept, mailbox)
    out.print("\n" + "\n".join(summary(expected, kept, mailbox, reminders)))
    print_next(out, aws, TRAIL_BUCKET, next_commands(kept, datetime.now(UTC)), keep=keep)


def _examples_of_this_morning(folder: Path) -> Path:
    """The examples, moved to this morning: of a day long past, deadlines are over and default windows empty."""
    examples = checkout("examples") / "examples"
    shift_to_this_morning(examples, find_log_files([examples / "AWSLogs"]).everything, folder, datetime.now(UTC))
    return folder / "AWSLogs"


def _play(out: Console, aws: LocalAws, mailbox: Mailbox, expected: Expectation, files: list[Path]) -> None:
    """Put log files into the trail bucket, and wait for what is to be said about them."""
    with step(out, f"putting {len(files)} files into the trail bucket"):
        put_files(aws, files)
    began = time.monotonic()
    hits, follow_ups, episodes = len(expected.to_notify), len(expected.follow_ups), expected.episodes
    mailbox.receive_until(
        lambda: mailbox.hits >= hits and mailbox.follow_ups >= follow_ups and episodes <= mailbox.episodes.keys()
    )
    for subject in mailbox.not_mailed:
        out.print(f"Notified, but not mailed below medium: {subject}")
    out.print(
        f"{mailbox.mails} mails for {mailbox.hits} hits and {mailbox.episodes.total()} episodes;"
        f" the last {mailbox.last - began:.1f} s after the log files were put"
    )
    out.print(f"{mailbox.follow_up_mails} mails say what became of {mailbox.acts_followed_up} acts\n")


def _play_again(out: Console, aws: LocalAws, mailbox: Mailbox, expected: Expectation) -> None:
    """Do one of the acts again, now: those of the examples with a deadline are undone, and this one waits."""
    now = datetime.now(UTC)
    with TemporaryDirectory() as folder:
        file = late_act(expected.hits.values(), Path(folder), now)
        if file is None:
            return
        expected.read([file], iso_time(now))
        with step(out, "doing one of the acts again, now, and nobody undoes it"):
            put_files(aws, [file])
        mailbox.receive_until(lambda: mailbox.hits >= len(expected.to_notify))


def _play_live(out: Console, aws: LocalAws, mailbox: Mailbox, expected: Expectation, deployed: DeployedStack) -> None:
    """Do one of the acts twice more, and tell of it by a live event and by its log file, in either order."""
    queue, table = deployed.output("IngestQueue"), deployed.output("HitTable")
    for is_live_first in (True, False):
        now = datetime.now(UTC)
        with TemporaryDirectory() as folder:
            file = late_act(expected.hits.values(), Path(folder), now)
            if file is None:
                return
            found = expected.read([file], iso_time(now))
            expected.seen_live |= {hit.hit_id for hit in found if is_live_first}
            ways = [
                ("its live event", partial(send_live_events, aws, queue, file)),
                ("its log file", partial(put_files, aws, [file])),
            ]
            first, second = ways if is_live_first else ways[::-1]
            with step(out, f"doing it once more: {first[0]} comes first"):
                began = time.monotonic()
                first[1]()
            mailbox.receive_until(lambda: _is_told(mailbox, expected))
            out.print(f"notified {mailbox.last - began:.1f} s after {first[0]} came")
            with step(out, f"{second[0]} comes second, and is no news"):
                second[1]()
                wait_until(lambda: is_drained(aws, queue), "messages in the ingest queue")
                wait_until(lambda: _all_filed(kept_hits(aws, table, expected)), "a hit in no log file")

    episodes = sum(bool(one.hit.episode) for one in kept_hits(aws, table, expected))  # three such acts are a wave
    mailbox.receive_until(lambda: mailbox.episodes.total() >= episodes)


def _all_filed(kept: list[FoundHit]) -> bool:
    return all(one.hit.place.is_known for one in kept if not one.hit.episode)


def _is_told(mailbox: Mailbox, expected: Expectation) -> bool:
    return mailbox.hits >= len(expected.to_notify) and expected.episodes <= mailbox.episodes.keys()


def _await_episodes(mailbox: Mailbox, kept: list[FoundHit]) -> None:
    """Wait for the notifications of all episodes of the table: a second of one rule and group is in no expectation."""
    episodes = sum(bool(one.hit.episode) for one in kept)
    mailbox.receive_until(lambda: mailbox.episodes.total() >= episodes)


def _remind(out: Console, aws: LocalAws, mailbox: Mailbox, expected: Expectation, clock: str) -> None:
    """Put the clock forward to the first reminders there will be, if any act waits, and wait for them.

    Of acts that were done minutes apart all are due by then, so that it is as many each time.
    """
    reminders = expected.reminders(_REMINDER_HOURS, utc_now())
    if not reminders:
        return
    soon = iso_time(datetime.fromisoformat(reminders[0].due_at) + _TOGETHER)
    said, due = mailbox.follow_ups, [one.due_at for one in reminders if one.due_at <= soon]
    with step(out, f"putting the clock forward to {due[-1]}, when a reminder is due"):
        put_forward(aws, clock, due[-1])
    mailbox.receive_until(lambda: mailbox.follow_ups >= said + len(due))


def _deployed(out: Console, aws: LocalAws) -> DeployedStack:
    """Deploy the stack; as it stands."""
    aws.client("s3").create_bucket(Bucket=TRAIL_BUCKET)
    with step(out, "cdk bootstrap"):
        bootstrap(aws)
    with step(out, "cdk deploy"):
        deploy(aws, TRAIL_BUCKET, alert_emails=_ADDRESS, live="true", live_organization=_ORGANIZATION)
    return DeployedStack(aws.client, STACK)


def put_files(aws: LocalAws, files: Iterable[Path]) -> None:
    """Put files into the trail bucket, under their own keys where their path has CloudTrail's layout."""
    s3 = aws.client("s3")
    for file in files:
        s3.put_object(Bucket=TRAIL_BUCKET, Key=trail_key(file), Body=file.read_bytes())


def trail_key(file: Path) -> str:
    """The key of a local log file in a trail bucket."""
    path = file.resolve().as_posix()
    if classify_key(path).kind is ObjectKind.OTHER:
        return f"AWSLogs/000000000000/CloudTrail/us-east-1/1970/01/01/{file.stem.removesuffix('.json')}.json.gz"
    return "AWSLogs/" + path.rpartition("AWSLogs/")[2]
