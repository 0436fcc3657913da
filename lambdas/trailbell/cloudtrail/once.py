"""What follows from a record is worked out once, when it is first asked for."""

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from functools import cached_property as once
else:

    class once:  # noqa: N801 (a decorator is called like a function)
        """functools.cached_property, without the lock that it takes until Python 3.12: a hit asks for a dozen."""

        def __init__(self, make):
            self._make, self._name, self.__doc__ = make, make.__name__, make.__doc__

        def __get__(self, owner, kind=None):
            if owner is None:
                return self
            made = owner.__dict__[self._name] = self._make(owner)
            return made


__all__ = ["once"]
