"""What was there before, in little memory: a year of hits is counted once each."""

_MAX_REMEMBERED = 1_000_000


class Remembered:
    """Texts that were there before, by their hash; of more than `limit` the oldest are forgotten."""

    def __init__(self, limit: int = _MAX_REMEMBERED) -> None:
        self._hashes: dict[int, None] = {}
        self._limit = limit

    def is_new(self, text: str) -> bool:
        """Whether a text was not there before; now it was."""
        key = hash(text)
        if key in self._hashes:
            return False
        if len(self._hashes) == self._limit:
            del self._hashes[next(iter(self._hashes))]
        self._hashes[key] = None
        return True
