"""What to type about an alert's hits: their short ids, in commands ready to paste."""

from collections.abc import Iterator, Sequence

from trailbell.hits.hit import Hit


LOCAL = "trailbell:local"
"""The context of the CDK by which `trailbell local` says that a stack is in the embedded AWS, where commands need the
option --local."""

_MAX_IDS = 10


def command(word: str, hits: Sequence[Hit], where: str = "") -> str:
    """`trailbell ack k7m2p9qx`, with the options that say where the table is ("--stack other"), "" for none."""
    return command_line(" ".join((word, *dict.fromkeys(hit.short_id for hit in hits))), where)


def command_line(words: str, where: str = "") -> str:
    """Any command of ours, such as `trailbell hits --rule x`, with the same options."""
    return f"trailbell {words} {where}".rstrip()


def handles(hits: Sequence[Hit], where: str = "") -> Iterator[tuple[str, str]]:
    """(what it does, command) for those who answer an alert: ack, resolve, undo; the first hit stands for a crowd."""
    listed = hits[:_MAX_IDS]
    more = f" (the first {_MAX_IDS} of {len(hits)})" if len(hits) > _MAX_IDS else ""
    yield f"acknowledge{more}", command("ack", listed, where)
    yield f"resolve{more}", command("resolve", listed, where)
    if any(hit.undo for hit in hits):
        yield "undo, with time left", command("undo", hits[:1], where)
