"""`python -m trailbell` is the `trailbell` command."""

from trailbell.cli.main import main


main()
