"""Numbers with what they count, as people read them."""


def counted(number: int, noun: str) -> str:
    """1 hit, 0 hits, 1,200 log files: the noun is given for one, and takes an s for others."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
