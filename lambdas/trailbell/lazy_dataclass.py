"""The standard library's dataclass, whose methods are made when they are first called.

    @dataclass(frozen=True, slots=True)

dataclasses writes each method as text and compiles it anew at every start, 0.3 to 0.4 ms for a class; a cold start
imports a hundred, makes instances of a third of them, and compares or prints nearly none. Here a class takes a tenth
of that. The methods, once they are called, are dataclasses' own, but for an __init__ that makes one or two instances:
everything else is as the standard library has it.

Not for a class that writes __eq__, __hash__ or __setattr__ itself, or has fields for __init__ alone (InitVar).
"""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn


_ORDERS = ("__lt__", "__le__", "__gt__", "__ge__")
_WITHOUT = 2
_NOT_TO_WRITE = ("__eq__", "__hash__", "__setattr__", "__delattr__", *_ORDERS)


if TYPE_CHECKING:  # what type checkers know of dataclasses they know by that name
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen=False, slots=False, order=False):
        """As `dataclasses.dataclass`."""

        def decorate(described: type) -> type:
            if written := [name for name in _NOT_TO_WRITE if name in described.__dict__]:
                raise TypeError(f"{described.__name__} writes {', '.join(written)}: take dataclasses.dataclass")
            return _made(described, frozen=frozen, slots=slots, order=order)

        return decorate


def _made(described: type, *, frozen: bool, slots: bool, order: bool) -> type:
    if not described.__doc__:
        described.__doc__ = described.__name__  # or else dataclasses writes one, for which it reads the signature
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(described)
    names = [name for name in ("__init__", "__repr__") if name not in described.__dict__]
    for name in (*names, "__eq__", *(("__hash__",) if frozen else ()), *(_ORDERS if order else ())):
        late = _late(made, name, frozen=frozen)
        setattr(made, name, _late_init(made, late) if name == "__init__" else late)
    if not frozen:
        made.__hash__ = None  # as of every class that compares and can change
        return made
    made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
    if slots:
        made.__getstate__, made.__setstate__ = _state, _set_state
    return made


def _late(made: type, name: str, *, frozen: bool) -> Callable[..., Any]:
    """A method that puts the standard library's in its place, and calls that."""

    def method(self: Any, /, *args: Any, **named: Any) -> Any:
        standard = getattr(_standard(made, name, frozen=frozen), name)
        setattr(made, name, standard)
        return standard(self, *args, **named)

    method.__name__, method.__qualname__ = name, f"{made.__qualname__}.{name}"
    return method


def _late_init(made: type, standard: Callable[..., None]) -> Callable[..., None]:
    """An __init__ that for a class's first instances does without the standard one; whatever is wrong is said by that.

    Of most classes that a cold start makes instances of it makes one.
    """
    left = iter(range(_WITHOUT))

    def __init__(self: Any, /, *args: Any, **named: Any) -> None:  # noqa: N807 # it becomes the class's
        values = next(left, None) is not None and _values(made, args, named)
        if not values:
            return standard(self, *args, **named)
        for name, value in values:
            object.__setattr__(self, name, value)
        return None

    __init__.__qualname__ = f"{made.__qualname__}.__init__"
    return __init__


def _values(made: Any, args: tuple[Any, ...], named: dict[str, Any]) -> list[tuple[str, Any]]:
    """The value of each field for a call of __init__; none if the call is wrong, or the class asks for more."""
    fields = dataclasses.fields(made)
    given = {**dict(zip((field.name for field in fields), args, strict=False)), **named}
    values = [(field.name, _value(field, given)) for field in fields if field.init and not field.kw_only]
    is_plain = len(values) == len(fields) and not hasattr(made, "__post_init__")
    is_right = len(given) == len(args) + len(named) and given.keys() <= {field.name for field in fields}
    return values if is_plain and is_right and all(value is not dataclasses.MISSING for _, value in values) else []


def _value(field: dataclasses.Field[Any], given: dict[str, Any]) -> Any:
    if field.name in given:
        return given[field.name]
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _standard(made: Any, method: str, *, frozen: bool) -> type:
    """A class of the same name and fields that has a method as dataclasses makes it; it works for any with the fields.

    As little else as can be is made, for each is compiled: frozen is what __init__ must know.
    """
    fields = {field.name: field for field in dataclasses.fields(made)}
    body = {
        **fields,
        "__annotations__": {name: field.type for name, field in fields.items()},
        **{name: getattr(made, name) for name in ("__module__", "__qualname__", "__doc__")},
        **({"__post_init__": made.__post_init__} if hasattr(made, "__post_init__") else {}),
    }
    is_order = method in _ORDERS
    return dataclasses.dataclass(
        init=method == "__init__",
        repr=method == "__repr__",
        eq=is_order or method in ("__eq__", "__hash__"),
        order=is_order,
        unsafe_hash=method == "__hash__",
        frozen=frozen and method == "__init__",
    )(type(made.__name__, (), body))


def _refuse_to_set(self: object, name: str, value: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


# To pickle and copy what is frozen and has slots, as dataclasses does.


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
