"""Looking at a step: what AWS refuses is no answer, and no reason either."""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from trailbell.ops.walk.step import Step, unknown
from trailbell.text.safe_text import one_line


def looked(name: str, look: Callable[[], Step], needs: str) -> Step:
    """What a step comes to; unknown, with what AWS says, where it cannot be looked at. needs: the permissions."""
    try:
        return look()
    except (ClientError, BotoCoreError) as error:
        return unknown(name, f"cannot be looked at: {one_line(str(error), 300)}", f"Your credentials need {needs}.")
