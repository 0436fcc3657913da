"""`trailbell local`: the real stack, deployed by the real CDK into an embedded AWS, doing its real job."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console

from trailbell.cli.local.deployment import STACK, bootstrap, deploy
from trailbell.cli.local.inbox import Inbox
from trailbell.cli.local.local_aws import LocalAws, start_local_aws
from trailbell.cli.local.local_state import forget_local, load_local, local_folder, save_local
from trailbell.cli.options.rulebooks import find_rulebook
from trailbell.cli.paths import checkout
from trailbell.cli.scan.log_files import find_log_files
from trailbell.cli.scan.work import hits_in
from trailbell.cli.terminal.display import console, print_hits
from trailbell.cli.terminal.steps import step
from trailbell.cloudtrail.object_key import ObjectKind, classify_key
from trailbell.engine.rulebook import Level
from trailbell.errors import LocalError, SettingsError
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.hits.query import HitQuery
from trailbell.ops.deployed_stack import DeployedStack
from trailbell.store.query.hit_query import find_hits
from trailbell.text.times import utc_now


TRAIL_BUCKET = "trailbell-local-trail"
_ADDRESS = "oncall@example.com"
_RULER = "=" * 80
_QUIET_SECONDS = 60


@click.command()
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--keep", is_flag=True, help="Keep everything running until `trailbell local --stop`.")
@click.option("--stop", "stop_only", is_flag=True, help="Stop what --keep left running.")
def local(path: Path | None, keep: bool, stop_only: bool) -> None:
    """Try the product on this machine: no AWS account, no Docker.

    Starts an embedded AWS on 127.0.0.1, deploys the real stack into it with the real CDK, puts the log files
    of PATH (default: examples/) into the trail bucket, and prints each alert as it would be mailed and the
    hits in the table.

    \b
    Example:
      trailbell local --keep
      trailbell hits --local --since 2026-11-01
    """
    if stop_only:
        _stop_kept()
        return
    out = console()
    found = find_log_files([path or checkout("examples") / "examples" / "AWSLogs"])
    with _running(out, keep=keep) as aws:
        topic, table = _deployed(out, aws)
        inbox = Inbox(aws, topic)
        expected = _expected(found.files)
        with step(out, f"putting {len(found.everything)} files into the trail bucket"):
            put_files(aws, found.everything)
        notified = _print_alerts(out, inbox, _to_notify(expected))
        kept = _print_kept_hits(out, aws, table, expected)
        if keep:
            save_local(aws)
            _print_how_to_go_on(out, aws, kept)
    _compare(expected, kept, notified)


@contextmanager
def _running(out: Console, *, keep: bool) -> Iterator[LocalAws]:
    """An embedded AWS, stopped at the end unless it is to be kept and all went well."""
    with step(out, "starting the embedded AWS"):
        aws = start_local_aws(local_folder())
    try:
        yield aws
    except BaseException:
        aws.stop()
        raise
    if not keep:
        with step(out, "stopping the embedded AWS"):
            aws.stop()


def _deployed(out: Console, aws: LocalAws) -> tuple[str, str]:
    """Deploy; the topic's ARN and the table's name."""
    aws.client("s3").create_bucket(Bucket=TRAIL_BUCKET)
    with step(out, "cdk bootstrap"):
        bootstrap(aws)
    with step(out, "cdk deploy"):
        deploy(aws, TRAIL_BUCKET, alert_emails=_ADDRESS)
    deployed = DeployedStack(aws.client, STACK)
    return deployed.output("AlertTopic"), deployed.output("HitTable")


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


def _expected(files: list[Path]) -> dict[tuple[str, str, str], Hit]:
    """The hits the same rules give without AWS: what the stack is held to."""
    hit_detector = HitDetector(find_rulebook(None, (f"trail_buckets={TRAIL_BUCKET}",)))
    seen_at = utc_now()
    return {hit.identity: hit for hit in hits_in(files, hit_detector, seen_at)}


def _to_notify(expected: dict[tuple[str, str, str], Hit]) -> int:
    """How many of the hits people are to be notified of: all that no exception mutes."""
    return sum(not hit.muted_by for hit in expected.values())


def _print_alerts(out: Console, inbox: Inbox, expected: int) -> int:
    """Print alerts as they come until `expected` hits were notified or nothing comes any more; how many were."""
    notified, mails, others = 0, 0, list[str]()
    began = last = time.monotonic()
    while notified < expected and time.monotonic() - last < _QUIET_SECONDS:
        for alert in inbox.receive(1):
            notified, last = notified + alert["count"], time.monotonic()
            if Level[alert["level"].upper()] < Level.MEDIUM:
                others.append(alert["subject"])
                continue
            mails += 1
            out.print(f"\n{_RULER}\nTo:      {_ADDRESS}\nSubject: {alert['subject']}\n\n{alert['text'].rstrip()}")
    out.print(f"\n{_RULER}")
    for subject in others:
        out.print(f"Notified, but not mailed below medium: {subject}")
    out.print(f"{mails} mails for {notified} hits; the last {last - began:.1f} s after the log files were put\n")
    return notified


def _print_kept_hits(out: Console, aws: LocalAws, table: str, expected: dict[tuple[str, str, str], Hit]) -> list[Hit]:
    """Ask the table for the hits and print them."""
    times = [hit.event_time for hit in expected.values()] or [datetime.now(UTC).isoformat()]
    since = min(map(datetime.fromisoformat, times))
    until = max(map(datetime.fromisoformat, times)) + timedelta(seconds=1)
    kept = list(find_hits(aws.client("dynamodb"), table, HitQuery(since=since, until=until)))
    out.print(f"The hit table, newest first (trailbell hits --since {since:%Y-%m-%d}):\n")
    print_hits(kept, "table")
    return kept


def _compare(expected: dict[tuple[str, str, str], Hit], kept: list[Hit], notified: int) -> None:
    """Raise LocalError unless the stack kept, and notified of, exactly the hits the rules give."""
    to_notify = _to_notify(expected)
    if {hit.identity for hit in kept} != set(expected) or notified != to_notify:
        selection = f"expected {len(expected)} hits, {to_notify} of them to be notified"
        raise LocalError(f"{selection}; {len(kept)} are in the table, {notified} were notified")
    click.echo(f"\nEvery hit the rules give is in the table once and was notified once: {notified}.")


def _print_how_to_go_on(out: Console, aws: LocalAws, kept: list[Hit]) -> None:
    since = kept[-1].event_time[:10] if kept else "30d"  # newest first, and log files may be of any age
    out.print(f"\nStill running. Put more log files into s3://{TRAIL_BUCKET}; query and stop it with")
    out.print(f"  trailbell hits --local --since {since}\n  trailbell local --stop")
    out.print(f"  AWS_ENDPOINT_URL={aws.endpoint} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test (for other tools)")


def _stop_kept() -> None:
    try:
        aws = load_local()
    except SettingsError as error:
        click.echo(str(error))
        return
    aws.stop()
    forget_local()
    click.echo("stopped")
