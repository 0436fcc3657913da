"""JSON text of any size as items: each a record, or an envelope around some, short enough to be parsed.

What may be of any length is read member by member: the lists of a document, arrays, lines, documents one after the
other. Only an item is in memory.
"""

from collections.abc import Iterator

from trailbell.cloudtrail.json_text import Entry, JsonText, parsed
from trailbell.wrappings.envelopes import LISTS


MOST_ITEM = 16 * 1024 * 1024
"""Bytes of an item. A batch of CloudWatch Logs has 1 MB at most, before it is compressed and put in Base64."""

_MAX_NAME = 40
_MOST_DEPTH = 4  # hits.hits of Elastic is two
_NAME = 24  # so much of an object's beginning tells objects like it


class Items:
    """The items of a text."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._text = JsonText(blocks)
        self._known = b""  # how an object begins that was an item

    def __iter__(self) -> Iterator[Entry]:
        """Raises LogFileError where the text is no JSON; items before that place were right."""
        text = self._text
        text.skip_mark()
        while first := text.peek():
            if first == b",":  # arrays that were cut up
                text.take_byte()
            elif first == b"[":
                yield from self._elements()
            elif first == b"{":
                yield from self._object()
            else:
                raise text.broken("goes on with what is neither an object nor a list")

    def _elements(self) -> Iterator[Entry]:
        text = self._text
        text.take_byte()
        if text.peek() == b"]":
            text.take_byte()
            return
        while True:
            yield text.value(MOST_ITEM)
            if text.expect(b",]") == b"]":
                return

    def _object(self, depth: int = 0) -> Iterator[Entry]:
        """The items of an object's lists; the object itself if it has none."""
        text = self._text
        beginning = text.ahead(_NAME)
        if beginning == self._known:
            yield text.value(MOST_ITEM)
            return
        members, size, whole, is_list = list[bytes](), 0, True, False
        text.take_byte()
        ended = text.peek() == b"}"
        if ended:
            text.take_byte()
        while not ended:
            name = text.value(_MAX_NAME) if text.peek() == b'"' else Entry(b"", whole=False)
            text.expect(b":")
            following = text.peek()
            if name.whole and parsed(name.text) in LISTS and following in (b"[", b"{") and depth < _MOST_DEPTH:
                is_list = True
                yield from self._elements() if following == b"[" else self._object(depth + 1)
            else:
                value = text.value(max(MOST_ITEM - size, 0))
                size += len(value.text)
                whole = whole and value.whole
                members.append(name.text + b":" + value.text)
            ended = text.expect(b",}") == b"}"
        if not is_list:
            self._known = beginning
            yield Entry(b"{" + b",".join(members) + b"}", whole)
