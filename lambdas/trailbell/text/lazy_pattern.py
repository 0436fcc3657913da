"""Regular expressions that are compiled when they are first used: most processes use few of those that modules have."""

import re
from typing import Any, cast


class _LazyPattern:
    """Stands for a pattern: each of its methods is looked up once, so that using it later costs nothing more."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._source = pattern, flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(*self._source)
        for attribute in dir(compiled):
            if not attribute.startswith("_"):
                setattr(self, attribute, getattr(compiled, attribute))
        return getattr(compiled, name)


def lazy_pattern(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """What re.compile gives, for all that a module does with it: match, search, sub ..."""
    return cast(re.Pattern[str], _LazyPattern(pattern, flags))
