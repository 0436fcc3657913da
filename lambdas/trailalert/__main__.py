"""`python -m trailalert` is the `trailalert` command."""

from trailalert.cli.main import main


main()
