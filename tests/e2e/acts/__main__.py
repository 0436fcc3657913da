"""`python -m tests.e2e.acts` does every act on a deployment of its own and writes docs/silenced.md (some minutes)."""

import tempfile
from pathlib import Path

from tests.e2e.acts.page import PAGE, written
from tests.e2e.acts.rows import deployed, everything
from trailbell.cli.local.local_aws import start_local_aws


def main() -> None:
    """Deploy, act, write."""
    with tempfile.TemporaryDirectory() as folder:
        aws = start_local_aws(Path(folder))
        try:
            found = everything(deployed(aws))
        finally:
            aws.stop()
    print(f"{len(found.rows)} acts, written to {PAGE.name}")  # noqa: T201 (what the README says it prints)
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main()
