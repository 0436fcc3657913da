"""What follows from a record is worked out once, when it is first asked for."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload


Made = TypeVar("Made")


class once(Generic[Made]):  # noqa: N801 (a decorator is called like a function)
    """Like functools.cached_property, without the lock that it takes until Python 3.12: a hit asks for a dozen."""

    def __init__(self, make: Callable[[Any], Made]) -> None:
        self._make, self._name, self.__doc__ = make, make.__name__, make.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> Self: ...

    @overload
    def __get__(self, owner: object, kind: type) -> Made: ...

    def __get__(self, owner: object | None, kind: type) -> Self | Made:
        if owner is None:
            return self
        made = owner.__dict__[self._name] = self._make(owner)
        return made
