"""One head to judge and how: what the command line, files and tests hand to the gate.

A setting is a field of Head and a row of SETTINGS. The command line, pytest's options
and [tool.adaface-ref] are made of the rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

from adaface_ref.effort import EFFORTS
from adaface_ref.errors import DomainError, quoted

WHOLE_DTYPES = ("float16", "bfloat16", "float32", "float64")
"""The dtypes in which a head may be judged."""


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
        accept: departures that are meant.
        select: ids of the checks to run; all when left out.
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
    time_limit: float = 1800.0
    memory_limit: float = 8.0

    def __post_init__(self) -> None:
        """Refuse a setting that is no value of its row.

        Raises:
            DomainError: for the first such setting.
        """
        for row in SETTINGS:
            value = getattr(self, row.name)
            if value != FIELDS[row.name].default and not row.fits(value):
                must = row.kind.must
                shown = quoted(value)
                raise DomainError(f"{row.name}={shown}, but must be {must} [gate]")

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


FIELDS = {item.name: item for item in fields(Head)}


class Kind(NamedTuple):
    """What a setting's value is.

    Args:
        must: in words, to follow "must be".
        fits: whether one value is so.
        words: the values that there are, where they can be listed.
    """

    must: str
    fits: Callable[[Any], bool]
    words: tuple[str, ...] = ()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _one_of(*words: str) -> Kind:
    return Kind(f"one of {', '.join(words)}", words.__contains__, words)


TEXT = Kind("a text", lambda value: isinstance(value, str) and bool(value.strip()))
COUNT = Kind(
    "an integer, 0 or more",
    lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0,
)
LIMIT = Kind("a number above 0", lambda v: _is_number(v) and 0 < v < math.inf)
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
PAIRS = Kind(
    "a table of numbers, texts, true and false",
    lambda v: isinstance(v, Mapping) and all(isinstance(name, str) for name in v),
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
    """

    name: str
    kind: Kind
    metavar: str = ""
    help: str = ""
    option: str = ""
    many: bool = False
    common: bool = True
    isolates: bool = False

    @property
    def flag(self) -> str:
        """The option's name, such as time-limit."""
        return self.option or self.name.replace("_", "-")

    def fits(self, value: Any) -> bool:
        """Whether a value is the setting's."""
        if not self.many:
            return self.kind.fits(value)
        several = isinstance(value, tuple | list) and bool(value)
        return several and all(map(self.kind.fits, value))


SETTINGS = (
    Setting("loss", TEXT, "NAME", "Such as arcface.", common=False),
    Setting("profile", TEXT, "P",
            "What it must be; auto (the default) takes any known one.", common=False),
    Setting("adapter", TEXT, "NAME",
            "How to call it, if not recognised: callable, cosine, embedding, loss, "
            "adaface, pytorch-metric-learning, transformers or catalyst.",
            common=False),
    Setting("arguments", PAIRS, "NAME=VALUE",
            "An argument of the head, or the loss's parameter to judge it by.",
            option="arg", common=False),
    Setting("device", TEXT, "D", "Where torch runs (cpu)."),
    Setting("dtypes", _one_of(*WHOLE_DTYPES), "T",
            "May be repeated; default float32 and float64.",
            option="dtype", many=True),
    Setting("seed", COUNT, "N", "Draws the points (0)."),
    Setting("effort", _one_of(*EFFORTS), "EFFORT",
            "10^5, 10^6 or 10^7 points a check (normal)."),
    Setting("strict", FLAG, "", "Warnings are errors."),
    Setting("accept", TEXT, "WORD",
            "A departure that is meant, such as detached; may be repeated.", many=True),
    Setting("select", TEXT, "CHECK", "Run this check alone; may be repeated.",
            many=True),
    Setting("time_limit", LIMIT, "SECONDS",
            "A head that takes longer counts as hanging (1800).", isolates=True),
    Setting("memory_limit", LIMIT, "GIB",
            "A head that holds more, with what it starts, is ended (8).",
            isolates=True),
)  # fmt: skip
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
    for read in (int, float, float.fromhex):
        try:
            return read(text)
        except (ValueError, OverflowError):
            continue
    return text
