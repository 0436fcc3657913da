"""`trailbell audit`: log files and digests of a bucket or a folder, verified against CloudTrail's signatures."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from trailbell.audit.chain import Gap
from trailbell.audit.files import Files
from trailbell.audit.grouping import Grouped, by_region
from trailbell.audit.public_keys import GivenKeys, Keys, parse_public_keys
from trailbell.audit.region import FileVerdict, RegionAudit
from trailbell.cli.audit.folder import FolderFiles
from trailbell.cli.audit.output import FORMS, is_harmless, print_days, print_document, print_lines
from trailbell.cli.audit.threads import S3_THREADS, Threads, disk_threads, s3_threads
from trailbell.cli.options.account import AccountId
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.form import form_option
from trailbell.cli.options.option_group import option_group
from trailbell.cli.options.times import since_option, until_option
from trailbell.cli.scan.log_sources import LogPlace, split_address
from trailbell.cli.scan.options import Scope
from trailbell.cli.terminal.interrupt import STATUS, Interrupt
from trailbell.cli.terminal.progress import Progress
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import SettingsError
from trailbell.text.safe_text import one_line
from trailbell.text.times import shifted


_NO_DIGESTS = (
    "no digest files there: without them nothing is proven (is log file validation on, and is the folder "
    "CloudTrail-Digest part of what you gave?)"
)

_DAY = timedelta(days=1)

scope_options = option_group(
    "scope",
    Scope,
    since_option("Files"),
    until_option("Files"),
    click.option(
        "--account", "accounts", multiple=True, type=AccountId(), help="Only this account's files (repeatable)."
    ),
    click.option("--region", "regions", metavar="REGION", multiple=True, help="Only this region's files (repeatable)."),
)


@click.command()
@click.argument("place", required=False, type=LogPlace())
@scope_options
@click.option(
    "--public-keys",
    "key_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What `aws cloudtrail list-public-keys` printed (repeatable: one for each region). Default: ask AWS.",
)
@form_option(FORMS)
@connection_options
def audit(place: str | None, scope: Scope, key_files: tuple[Path, ...], form: str, connection: Connection) -> None:
    """Verify a trail's log files by its digest files.

    PLACE is a folder or s3://bucket/prefix.

    Without a place: what the deployed audit found (setting `audit`), by account, Region and day; status 1 if a log file
    is missing or altered, a digest is not valid, one is overdue, or an account and Region is silent. The last seven
    days, unless --since says otherwise.

    Digests are checked by CloudTrail's signatures and by the digest before, log files by the digests that list them.
    In a folder the bucket and the prefix are not compared, as a copy does not say what they were; a digest's signature
    is taken from NAME.metadata.json beside it, else from the digest that follows.

    The exit status is 0 if all is valid or could not be proven for honest reasons (unproven, beyond, gap), 1 if any
    file is missing, altered or forged, 2 if the audit could not be made.

    \b
    Example:
      trailbell audit ./AWSLogs --public-keys keys.json
      trailbell audit s3://my-trail-logs --since 7d --format jsonl
    """
    selection = scope.selection(scope.window(datetime.now(UTC)))
    if place is None:
        sys.exit(_of_deployment(connection, selection, form))
    import trailbell.audit.signature  # noqa: F401 (here, so that a missing library is told before anything is read)

    keys = _given_keys(key_files) if key_files else _keys_of_aws(is_needed=not place.startswith("s3://"))
    found = (_from_bucket if place.startswith("s3://") else _from_folder)(place, selection)
    if not any(region.digests for region in found.grouped.regions):
        raise SettingsError(f"{place}: {_NO_DIGESTS}")
    total = sum(len(region.digests) + len(region.logs) for region in found.grouped.regions)
    outcome = _Outcome(Progress(total, 0, "files"))
    with found.threads as work, Interrupt() as stopped:
        _print(outcome.watch(_verdicts(found, keys, work), stopped), form)
    click.echo(outcome.counts(), err=True)
    if found.grouped.passed_over:
        click.echo(f"passed over: {found.grouped.passed_over} files that are neither digests nor log files", err=True)
    sys.exit(STATUS if stopped() else outcome.status)


def _of_deployment(connection: Connection, selection: Selection, form: str) -> int:
    """Print what the deployed audit found; the exit status. Raises SettingsError where nothing was audited."""
    from trailbell.cli.audit.deployed import print_deployed, read_deployed

    found = read_deployed(connection.client("dynamodb"), connection.table(), selection, datetime.now(UTC))
    print_deployed(found, form)
    return int(not found.is_green)


@dataclass(slots=True)
class _Outcome:
    """What was found so far."""

    progress: Progress
    files: int = 0
    faults: int = 0
    gaps: int = 0

    def watch(self, verdicts: Iterable[FileVerdict | Gap], stopped: Interrupt) -> Iterator[FileVerdict | Gap]:
        """The verdicts as they come, counted; they end where somebody asks for it."""
        for found in verdicts:
            if isinstance(found, Gap):
                self.gaps += 1
            else:
                self.files += 1
                self.faults += not is_harmless(found)
                self.progress.advance(0)
            yield found
            if stopped():
                break
        self.progress.wipe()

    @property
    def status(self) -> int:
        """The exit status."""
        return int(self.faults > 0)

    def counts(self) -> str:
        """One line for a person."""
        return f"files: {self.files} checked, {self.faults} missing, altered or not as signed; gaps: {self.gaps}"


@dataclass(frozen=True, slots=True)
class _Found:
    """What is audited, and who reads it."""

    files: Files
    grouped: Grouped
    threads: Threads


def _verdicts(found: _Found, keys: Keys, work: Threads) -> Iterator[FileVerdict | Gap]:
    for region in found.grouped.regions:
        yield from RegionAudit(region, found.files, keys, work).verdicts()


def _print(verdicts: Iterator[FileVerdict | Gap], form: str) -> None:
    if form == "jsonl":
        print_lines(verdicts)
    else:
        (print_document if form == "json" else print_days)(list(verdicts))


def _from_folder(place: str, selection: Selection) -> _Found:
    files = FolderFiles(Path(place))
    if files.unlisted:
        raise SettingsError(f"cannot be listed: {', '.join(map(one_line, files.unlisted))}")
    return _Found(files, by_region(files.listed(), selection), disk_threads())


def _from_bucket(place: str, selection: Selection) -> _Found:
    from botocore.config import Config

    from trailbell.cli.options.account import aws_client
    from trailbell.ops.audit_bucket import BucketFiles

    bucket, prefix = split_address(place)
    config = Config(max_pool_connections=S3_THREADS, retries={"mode": "standard", "max_attempts": 5})
    files = BucketFiles(aws_client("s3", config=config), bucket, prefix)
    # A day more, as whether a digest is missing or the first of all is told by those before it.
    listed = replace(selection, since=selection.since and shifted(selection.since, -_DAY))
    return _Found(files, by_region(files.listed(listed), selection), s3_threads())


def _given_keys(files: Iterable[Path]) -> GivenKeys:
    keys = []
    for file in files:
        try:
            content = file.read_bytes()
            text = content.decode(json.detect_encoding(content))  # a shell may have written UTF-16, or a mark before
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file}: cannot be read: {error}") from error
        found = parse_public_keys(text, str(file))
        if not found:
            click.echo(f"{file}: holds no public keys: they are of other times or Regions", err=True)
        for key in found:
            if not key.named_rightly:
                named = one_line(key.fingerprint, 128)
                click.echo(f"{file}: the key {named} does not have this fingerprint", err=True)
        keys += found
    return GivenKeys(keys)


def _keys_of_aws(*, is_needed: bool) -> Keys:
    """CloudTrail's own. Raises SettingsError for a folder where nobody is signed in: with a bucket S3 tells."""
    import boto3

    from trailbell.aws.public_keys import AwsKeys
    from trailbell.cli.options.credential_process import tell_failures

    tell_failures()
    if is_needed and not boto3.Session().get_credentials():
        raise SettingsError(
            "signatures need CloudTrail's public keys: give --public-keys FILE (what `aws cloudtrail "
            "list-public-keys --region REGION --start-time … --end-time …` prints), or sign in to AWS"
        )

    def client(region: str) -> Any:
        return boto3.client("cloudtrail", region_name=region)

    return AwsKeys(client)
