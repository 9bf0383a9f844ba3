"""One head to judge and how: what the command line, files and tests hand to the gate.

A setting is a field of Head and a row of SETTINGS. The command line, pytest's options
and [tool.adaface-ref] are made of the rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from adaface_ref.choices import DTYPES, EFFORTS
from adaface_ref.errors import DomainError, quoted
from adaface_ref.report.catalogue import GATE, catalogue


@dataclass(frozen=True)
class Head:
    """One head to judge.

    Args:
        target: `package.module:name` or `path/file.py:name`, or the head itself.
        loss: a loss id.
        profile: `auto`, or the profile that it must have.
        adapter: how to call it; recognised when left out.
        arguments: its own arguments, and values of the loss's parameters.
        device: a torch device.
        dtypes: the dtypes in which it is judged.
        seed: draws the points; the same seed gives the same report.
        effort: `quick`, `normal` or `thorough`.
        strict: whether warnings are errors.
        accept: departures that are meant, or ids of checks whose findings are known.
        select: ids of the checks to run; all when left out.
        ignore: ids of checks that are not run, which the report says.
        time_limit: seconds after which it counts as hanging, in a process of its own.
        memory_limit: GiB that it and what it starts may hold there.
    """

    target: Any
    loss: str
    profile: str = "auto"
    adapter: str | None = None
    arguments: Mapping[str, object] = field(default_factory=dict)
    device: str = "cpu"
    dtypes: tuple[str, ...] = ("float32", "float64")
    seed: int = 0
    effort: str = "normal"
    strict: bool = False
    accept: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    time_limit: float = 1800.0
    memory_limit: float = 8.0

    def __post_init__(self) -> None:
        """Refuse a setting that is no value of its row.

        Raises:
            DomainError: for the first such setting.
        """
        for row in SETTINGS:
            value = getattr(self, row.name)
            if value in (None, ()) and row.optional:
                continue
            if not row.fits(value):
                told = f"{row.name}={quoted(value)}, but must be {row.must} [gate]"
                raise DomainError(told)

    def as_json(self) -> dict[str, Any]:
        """As JSON types; the target must be a name."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Head:
        """From what `as_json` gave.

        Args:
            data: JSON types.

        Returns:
            The same head.

        Raises:
            TypeError: an unknown name.
            DomainError: a value that does not fit.
        """
        lists = {k: tuple(v) for k, v in data.items() if isinstance(v, list)}
        return cls(**{**data, **lists})


class Kind(NamedTuple):
    """What a setting's value is.

    Args:
        must: in words, to follow "must be"; "" for one of the words.
        fits: whether a value is so.
        words: lists the values that there are, where they can be listed.
        schema: the same in JSON Schema, where there are no words.
    """

    must: str
    fits: Callable[[Any], bool]
    words: Callable[[], tuple[str, ...]] | None = None
    schema: Mapping[str, Any] = MappingProxyType({"type": "string", "minLength": 1})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _one_of(words: Callable[[], tuple[str, ...]]) -> Kind:
    return Kind("", lambda value: isinstance(value, str) and value in words(), words)


def _accepted() -> tuple[str, ...]:
    words = tuple(entry.accept for entry in catalogue(GATE) if entry.accept)
    return (*words, *_checks())


def _checks() -> tuple[str, ...]:
    return tuple(entry.id for entry in catalogue(GATE))


def _text(must: str) -> Kind:
    return Kind(must, lambda value: isinstance(value, str) and bool(value.strip()))


def _above_zero(unit: str) -> Kind:
    return Kind(
        f"a number of {unit} above 0",
        lambda v: _is_number(v) and 0 < v < math.inf,
        schema={"type": "number", "exclusiveMinimum": 0},
    )


COUNT = Kind(
    "an integer, 0 or more",
    lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0,
    schema={"type": "integer", "minimum": 0},
)
FLAG = Kind(
    "true or false",
    lambda value: isinstance(value, bool),
    schema={"type": "boolean"},
)
PROFILE = _text("auto or a profile, such as fallback:detached")
PAIRS = Kind(
    "a table of numbers, texts, true and false",
    lambda v: isinstance(v, Mapping) and all(isinstance(name, str) for name in v),
    schema={"type": "object"},
)


class Setting(NamedTuple):
    """A row: how a field of Head is given.

    Args:
        name: the field's.
        kind: what its value is, or each of its values.
        metavar: what the command line calls the value.
        help: a sentence for the command line.
        option: the option's name, where it is not the field's.
        many: whether it holds several values.
        common: whether a file may say it for all heads.
        isolates: whether it means something for a process of its own only.
        optional: whether None, or an empty tuple, says nothing.
    """

    name: str
    kind: Kind
    metavar: str = ""
    help: str = ""
    option: str = ""
    many: bool = False
    common: bool = True
    isolates: bool = False
    optional: bool = False

    @property
    def flag(self) -> str:
        """The option's name, such as time-limit."""
        return self.option or self.name.replace("_", "-")

    @property
    def must(self) -> str:
        """What a value must be, to follow "must be"."""
        words = self.kind.words
        listed = "" if words is None else ", ".join(words())
        if self.many:
            return f"a list of {listed or self.kind.must}"
        return self.kind.must or f"one of {listed}"

    @property
    def schema(self) -> dict[str, Any]:
        """What a value must be, in JSON Schema."""
        words = self.kind.words
        one = dict(self.kind.schema) if words is None else {"enum": list(words())}
        return {"type": "array", "items": one, "minItems": 1} if self.many else one

    def fits(self, value: Any) -> bool:
        """Whether a value is the setting's."""
        if not self.many:
            return self.kind.fits(value)
        several = isinstance(value, tuple | list) and bool(value)
        return several and all(map(self.kind.fits, value))


SETTINGS = (
    Setting(
        "loss",
        _text("a loss id, such as arcface"),
        "NAME",
        "Such as arcface.",
        common=False,
    ),
    Setting(
        "profile",
        PROFILE,
        "P",
        "What it must be; auto (the default) takes any known one.",
        common=False,
    ),
    Setting(
        "adapter",
        _text("the name of an adapter"),
        "NAME",
        "How to call it, if not recognised: callable, cosine, embedding, loss, "
        "adaface, pytorch-metric-learning, transformers or catalyst.",
        common=False,
        optional=True,
    ),
    Setting(
        "arguments",
        PAIRS,
        "NAME=VALUE",
        "An argument of the head, or the loss's parameter to judge it by.",
        option="arg",
        common=False,
    ),
    Setting(
        "device", _text("a torch device, such as cpu"), "D", "Where torch runs (cpu)."
    ),
    Setting(
        "dtypes",
        _one_of(lambda: DTYPES),
        "T",
        "May be repeated; default float32 and float64.",
        option="dtype",
        many=True,
    ),
    Setting("seed", COUNT, "N", "Draws the points (0)."),
    Setting(
        "effort",
        _one_of(lambda: tuple(EFFORTS)),
        "EFFORT",
        "10^5, 10^6 or 10^7 points a check (normal).",
    ),
    Setting("strict", FLAG, "", "Warnings are errors."),
    Setting(
        "accept",
        _one_of(_accepted),
        "WORD",
        "A departure that is meant, such as detached, or a check; may be repeated.",
        many=True,
        optional=True,
    ),
    Setting(
        "select",
        _one_of(_checks),
        "CHECK",
        "Run this check alone; may be repeated.",
        many=True,
        optional=True,
    ),
    Setting(
        "ignore",
        _one_of(_checks),
        "CHECK",
        "Leave this check out, and say so; may be repeated.",
        many=True,
        optional=True,
    ),
    Setting(
        "time_limit",
        _above_zero("seconds"),
        "SECONDS",
        "A head that takes longer counts as hanging (1800).",
        isolates=True,
    ),
    Setting(
        "memory_limit",
        _above_zero("GiB"),
        "GIB",
        "A head that holds more, with what it starts, is ended (8).",
        isolates=True,
    ),
)
"""The rows, in the order of the command line's help."""

WORDS = {"true": True, "false": False, "none": None}


def parse_arguments(texts: tuple[str, ...] | list[str]) -> dict[str, object]:
    """Read arguments for a head, never evaluating them.

    Args:
        texts: `name=value` each; a value is an integer, a decimal or hexadecimal
            float, true, false, none, or else a string.

    Returns:
        Values by name.

    Raises:
        DomainError: for a text without a name or an equals sign.
    """
    found: dict[str, object] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name.isidentifier():
            raise DomainError(f"--arg={text!r}, but must be name=value [gate]")
        found[name] = _value(value)
    return found


def _value(text: str) -> object:
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    readers = [int, float] + [float.fromhex] * ("0x" in text.lower())
    for read in readers:
        try:
            return read(text)
        except (ValueError, OverflowError):
            continue
    return text
