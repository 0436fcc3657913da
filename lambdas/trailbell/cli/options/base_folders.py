"""Where a user's own files are, as the XDG base directories say: https://specifications.freedesktop.org/basedir/"""

import os
from pathlib import Path


def base_folder(variable: str, below_home: str) -> Path:
    """Our folder of a kind: XDG_CACHE_HOME, .cache. A relative path in the variable is to be ignored."""
    given = os.environ.get(variable, "")
    return (Path(given) if os.path.isabs(given) else Path.home() / below_home) / "trailbell"
