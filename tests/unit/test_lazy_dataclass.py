"""A lazy dataclass is what the standard library makes of the same class, but for when its methods are made."""

import ast
import copy
import dataclasses
import importlib
import inspect
import pickle
import re
import sys
from collections.abc import Callable
from dataclasses import field
from functools import cached_property
from operator import eq, le, lt, ne
from typing import Any, Protocol

import pytest

from infra.asset import shipped_modules
from trailbell import lazy_dataclass
from trailbell.rulebook.product import SOURCES


Decorator = Callable[..., Callable[[type], type]]
STANDARD: Decorator = dataclasses.dataclass
LAZY: Decorator = lazy_dataclass.dataclass


def declared(dataclass: Decorator) -> dict[str, Any]:
    """The forms that the package writes, decorated by one of the two."""

    class Worded(Protocol):
        def word(self) -> str: ...

    @dataclass(frozen=True, slots=True)
    class Frozen:
        """Has a sentence."""

        name: str
        days: int = 3
        tags: tuple[str, ...] = ()
        notes: list[str] = field(default_factory=list)

        @property
        def word(self) -> str:
            return self.name.lower()

    @dataclass(slots=True)
    class Open:
        name: str
        counts: dict[str, int] = field(default_factory=dict)
        total: int = 0

    @dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        year: int
        text: str = ""

    @dataclass(frozen=True)
    class Cached:
        name: str

        @cached_property
        def letters(self) -> list[str]:
            return list(self.name)

    @dataclass(frozen=True, slots=True)
    class Derived:
        name: str
        upper: str = field(init=False, repr=False, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "upper", self.name.upper())

    @dataclass(frozen=True, slots=True)
    class Written:
        secret: str

        def __repr__(self) -> str:
            return "Written(hidden)"

    @dataclass(frozen=True, slots=True)
    class Base:
        first: int

    @dataclass(frozen=True, slots=True)
    class Below(Base):
        second: int = 2

    class Plain(Frozen):
        """Not decorated itself."""

    @dataclass(frozen=True, slots=True)
    class Of(Worded):
        name: str

        def word(self) -> str:
            return self.name

    return {one.__name__: one for one in (Frozen, Open, Ordered, Cached, Derived, Written, Base, Below, Plain, Of)}


def told(act: Callable[[], object]) -> object:
    """What an act returns, or which error it raises."""
    try:
        return act()
    except Exception as error:
        return type(error), str(error)


ARGUMENTS: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...] = (
    ((), {}),
    (("a",), {}),
    (("b",), {}),
    ((7,), {}),
    (("a", 5), {}),
    (("a",), {"days": 4}),
    ((), {"name": "a"}),
    (("a",), {"unknown": 1}),
    (("a", 1, (), [], 9), {}),
    (([],), {}),
)

ACTS: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "hash": lambda one: hash(one),
    "set": lambda one: setattr(one, dataclasses.fields(one)[0].name, "new"),
    "delete": lambda one: delattr(one, dataclasses.fields(one)[0].name),
    "asdict": dataclasses.asdict,
    "astuple": dataclasses.astuple,
    "replace": lambda one: repr(dataclasses.replace(one, **{dataclasses.fields(one)[0].name: "z"})),
    "copy": lambda one: copy.copy(one) == one,
    "deepcopy": lambda one: copy.deepcopy(one) == one,
    "state": lambda one: one.__reduce_ex__(4)[2],
    "match": lambda one: type(one).__match_args__,
    "letters": lambda one: one.letters,
    "upper": lambda one: one.upper,
    "slots": lambda one: (getattr(type(one), "__slots__", None), hasattr(one, "__dict__")),
    "equal to nothing": lambda one: one == None,  # noqa: E711 # what it says of another type is asked
    "less than itself": lambda one: one < one,
}


@pytest.mark.parametrize("name", declared(STANDARD))
@pytest.mark.parametrize("act", ACTS)
def test_is_as_the_standard_library_makes_it(name: str, act: str) -> None:
    """Whatever is done first with a class: both are made anew for each act."""
    for args, named in ARGUMENTS:
        standard, lazy = (declared(decorator)[name] for decorator in (STANDARD, LAZY))

        expected = told(lambda: ACTS[act](standard(*args, **named)))  # noqa: B023
        found = told(lambda: ACTS[act](lazy(*args, **named)))  # noqa: B023

        assert without_addresses(found) == without_addresses(expected)
        told(lambda: lazy(what_no_class_has=1))  # noqa: B023 # what is wrong is said by the standard one, which stays
        assert inspect.signature(lazy) == inspect.signature(standard)


@pytest.mark.parametrize("name", declared(STANDARD))
def test_compares_as_the_standard_library_does(name: str) -> None:
    """Hits are told apart by equality, and rows by hash."""

    def table(one: Any) -> list[object]:
        made: list[Any] = [told(lambda: one(*args, **named)) for args, named in ARGUMENTS]  # noqa: B023
        return [told(lambda: by(a, b)) for by in (eq, ne, lt, le) for a in made for b in made]  # noqa: B023

    expected, found = table(declared(STANDARD)[name]), table(declared(LAZY)[name])

    assert without_addresses(found) == without_addresses(expected)
    assert True in found


def without_addresses(told_of: object) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", repr(told_of))


def test_methods_are_made_once() -> None:
    """After the first call nothing of ours is left to pay for."""
    made = declared(LAZY)["Frozen"]
    one, other, _ = made("a"), made("a"), made("a")
    assert one == other
    repr(one)

    for name in ("__init__", "__eq__", "__repr__"):
        assert getattr(made, name).__code__.co_filename != lazy_dataclass.__file__
    assert made.__hash__.__code__.co_filename == lazy_dataclass.__file__


def test_what_it_cannot_make_is_refused() -> None:
    """A class that compares in its own way would silently compare in another."""
    with pytest.raises(TypeError, match="One writes __eq__"):

        @LAZY(frozen=True, slots=True)
        class One:
            name: str

            def __eq__(self, other: object) -> bool:
                return True


def shipped_dataclasses() -> list[Any]:
    """Every dataclass of every module that Lambda gets."""
    names = [".".join(file.relative_to(SOURCES).with_suffix("").parts) for file in shipped_modules()]
    modules = [importlib.import_module(name.removesuffix(".__init__")) for name in names]
    return [
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and one.__module__ == module.__name__ and dataclasses.is_dataclass(one)
    ]


def test_everything_shipped_can_be_pickled_and_built() -> None:
    """Processes of a scan send each other hits; a class whose methods cannot be made fails at its first call alone."""
    found = shipped_dataclasses()

    assert len(found) > 150
    for one in found:
        names = [each.name for each in dataclasses.fields(one) if each.init]
        assert told(lambda: one(nothing_of_the_kind=1))[0] is TypeError  # type: ignore[index] # noqa: B023
        assert [*inspect.signature(one).parameters] == names
        writes_init = one.__init__.__code__.co_filename == sys.modules[one.__module__].__file__
        if len(names) == len(dataclasses.fields(one)) and not (writes_init or hasattr(one, "__post_init__")):
            built = one(*names)
            assert pickle.loads(pickle.dumps(built)) == built  # noqa: S301 # our own
            assert repr(built).startswith(f"{one.__qualname__}(")


def test_what_ships_has_no_other_dataclass() -> None:
    """One class of the standard library's is a third of a millisecond of every cold start; a hundred were a tenth."""
    others = []
    for file in shipped_modules():
        if file.name == "lazy_dataclass.py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "dataclasses":
                others += [f"{file.name}: {alias.name}" for alias in node.names if alias.name == "dataclass"]
            elif isinstance(node, ast.Import):
                others += [f"{file.name}: {alias.name}" for alias in node.names if alias.name == "dataclasses"]

    assert others == [], "import dataclass from trailbell.lazy_dataclass"
