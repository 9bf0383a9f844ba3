"""Tables that a user wrote, read field by field; a mistake is one clear line."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from adaface_ref.errors import DomainError, quoted


class Field(NamedTuple):
    """What a value must be.

    Args:
        must: in words, to follow "must be".
        fits: whether a value is so.
        required: whether the table must have it.
    """

    must: str
    fits: Callable[[Any], bool]
    required: bool = False


def read_fields(
    table: Mapping[str, Any], fields: Mapping[str, Field], where: str
) -> dict[str, Any]:
    """Check a table.

    Args:
        table: what the user wrote.
        fields: what it may hold.
        where: file and place, for the message.

    Returns:
        The table.

    Raises:
        DomainError: an unknown name, a value that does not fit, or one that lacks.
    """
    for name, value in table.items():
        if name not in fields:
            raise DomainError(f"{where}: unknown key {name!r}{suggest(name, fields)}")
        if not fields[name].fits(value):
            must = fields[name].must
            raise DomainError(f"{where}: {name}={quoted(value)}, but must be {must}")
    for name, field in fields.items():
        if field.required and name not in table:
            raise DomainError(f"{where}: {name} must be given: {field.must}")
    return dict(table)


def suggest(name: str, known: Collection[str]) -> str:
    """What to say of a name that is not known: the nearest, or all of them."""
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f", did you mean {near[0]!r}?"
    return f"; known are {', '.join(known)}"


def word(must: str, *, required: bool = False) -> Field:
    """A text that is not empty."""
    return Field(must, lambda v: isinstance(v, str) and bool(v.strip()), required)


def one_of(known: Collection[str], *, required: bool = False) -> Field:
    """One of some words."""
    return Field(
        f"one of {', '.join(known)}",
        lambda value: isinstance(value, str) and value in known,
        required,
    )


def some_of(known: Collection[str]) -> Field:
    """A list of some words, with at least one of them."""
    return Field(
        f"a list of {', '.join(known)}",
        lambda value: (
            isinstance(value, list)
            and bool(value)
            and all(isinstance(item, str) and item in known for item in value)
        ),
    )


def positive(unit: str) -> Field:
    """A finite number above 0."""
    return Field(
        f"a number of {unit} above 0",
        lambda v: (
            isinstance(v, int | float) and not isinstance(v, bool) and 0 < v < math.inf
        ),
    )
