"""What a port answers, read strictly: anything else is one clear line.

spec/protocol holds the same as JSON Schemas. What no schema says is said here too: keys
are unique, ids answer in order, every string of bits holds the values that were asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from adaface_ref.errors import quoted
from adaface_ref.evidence.truth.agreement import INPUTS
from adaface_ref.ports.pipe.bits import decode
from adaface_ref.ports.pipe.protocol import (
    DTYPES,
    VERSION,
    Hello,
    MalformedError,
    RefusedError,
    Request,
)
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import RULES, is_defined, parse

PROFILE = re.compile("[a-z0-9.,:=+-]+")
"""What a profile's string is made of: nothing that JSON would escape."""

NAMES = ("name", "language", "version")
"""What a port says of itself: a line of at most NAME characters each."""

NAME = 80
ERROR_TEXT = 1000
"""Characters of an error's message, at most."""


def read_hello(line: bytes) -> Hello:
    """What a port answers to hello.

    Args:
        line: without its end.

    Raises:
        MalformedError: in one line, what is wrong.
    """
    message = _message(
        line, "hello", ("protocol", *NAMES, "losses", "dtypes", "quantities")
    )
    if not _is_number(message["protocol"], VERSION):
        value = quoted(message["protocol"])
        raise MalformedError(f"protocol={value}, but must be {VERSION} [hello]")
    for key in NAMES:
        _text(message, key, "hello", NAME)
    quantities = _words(message, "quantities", INPUTS)
    dtypes = _words(message, "dtypes", DTYPES)
    losses = message["losses"]
    if not isinstance(losses, dict):
        raise MalformedError(f"losses={quoted(losses)}, but must be an object [hello]")
    for loss in losses:
        if loss not in LOSSES:
            known = ", ".join(LOSSES)
            raise MalformedError(
                f"losses: {quoted(loss)}, but must be of {known} [hello]"
            )
    profiles = {loss: _profiles(loss, value) for loss, value in losses.items()}
    name, language, version = (message[key] for key in NAMES)
    return Hello(name, language, version, profiles, dtypes, quantities)


def _profiles(loss: str, value: object) -> tuple[str, ...]:
    where = f"losses.{loss}"
    found = _distinct(value, where)
    for profile in found:
        if not PROFILE.fullmatch(profile):
            raise MalformedError(f"{where}: {quoted(profile)} is no profile [hello]")
        try:
            defined = is_defined(LOSSES[loss], parse(profile))
        except ValueError as error:
            raise MalformedError(f"{where}: {error} [hello]") from None
        if not defined:
            rules = ", ".join(r.id for r in RULES.values() if loss in r.losses)
            must = f"one that is defined for it: {rules}"
            raise MalformedError(
                f"{where}: {quoted(profile)}, but must be {must} [hello]"
            )
    return found


def read_values(line: bytes, request: Request, number: int) -> dict[str, str]:
    """The bits that a port answers to a request.

    Args:
        line: without its end.
        request: the question.
        number: its id.

    Returns:
        A string of bits for each quantity asked.

    Raises:
        RefusedError: the port answers with an error.
        MalformedError: in one line, what is wrong.
    """
    kind, message = _message_in(line, ("values", "error"))
    if kind == "error":
        _keys(message, ("id", "message"), "error")
        _number(message, number, "error")
        raise RefusedError(
            " ".join(_text(message, "message", "error", ERROR_TEXT).split())
        )
    _keys(message, ("id", "values"), "values")
    _number(message, number, "values")
    values = message["values"]
    if not isinstance(values, dict):
        raise MalformedError(f"values={quoted(values)}, but must be an object [values]")
    _keys(values, request.quantities, "values.values", ignore=())
    for quantity, text in values.items():
        _bits(quantity, text, request)
    return values


def _bits(quantity: str, text: object, request: Request) -> None:
    where = f"values.{quantity}"
    if not isinstance(text, str):
        must = "a string of hexadecimal digits"
        raise MalformedError(f"{where}={quoted(text)}, but must be {must} [values]")
    try:
        found = decode(text, request.dtype).size
    except ValueError as error:
        raise MalformedError(f"{where}={quoted(text)}: {error} [values]") from None
    if found != request.size:
        must = f"{request.size}, one a point"
        raise MalformedError(f"{where} has {found} values, but must be {must} [values]")


def read_bye(line: bytes) -> None:
    """What a port answers to bye.

    Raises:
        MalformedError: it is something else.
    """
    _message(line, "bye", ())


def _message(line: bytes, kind: str, keys: Sequence[str]) -> dict[str, Any]:
    _, message = _message_in(line, (kind,))
    _keys(message, keys, kind)
    return message


def _message_in(line: bytes, kinds: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """A message, and of which of the kinds that are due it is."""
    shown = quoted(line[:200].decode(errors="replace"))
    try:
        message = json.loads(
            line.decode(), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except _KnownError as error:
        raise MalformedError(f"{error} in the line {shown}") from None
    except UnicodeDecodeError:
        raise MalformedError(f"not UTF-8: the line {shown}") from None
    except (ValueError, RecursionError):
        raise MalformedError(f"not JSON: the line {shown}") from None
    must = " or ".join(f'"{kind}"' for kind in kinds)
    if not isinstance(message, dict):
        raise MalformedError(f"not a JSON object, but must be of type {must}: {shown}")
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in kinds:
        raise MalformedError(f"type={quoted(kind)}, but must be {must}")
    return kind, message


class _KnownError(ValueError):
    """What is wrong with a line's JSON, where it can be told."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _KnownError("a key stands twice")
    return found


def _no_constant(text: str) -> Any:
    raise _KnownError(f"{text} is no JSON")


def _keys(
    message: Mapping[str, Any],
    keys: Collection[str],
    where: str,
    ignore: Collection[str] = ("type",),
) -> None:
    """Neither more nor fewer."""
    for key in message:
        if key not in keys and key not in ignore:
            raise MalformedError(f"unknown field {quoted(key)} [{where}]")
    for key in keys:
        if key not in message:
            raise MalformedError(f"field {key!r} is missing [{where}]")


def _is_number(value: object, wanted: int) -> bool:
    """As JSON Schema has it: 1.0 is 1, true is not."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and value == wanted


def _number(message: Mapping[str, Any], number: int, where: str) -> None:
    if not _is_number(message["id"], number):
        value = quoted(message["id"])
        raise MalformedError(
            f"id={value}, but must be {number}, that of the request [{where}]"
        )


def _text(message: Mapping[str, Any], key: str, where: str, most: int) -> str:
    value = message[key]
    if not isinstance(value, str) or not value or len(value) > most:
        must = f"a text of 1 to {most} characters"
        raise MalformedError(f"{key}={quoted(value)}, but must be {must} [{where}]")
    return value


def _distinct(value: object, where: str) -> tuple[str, ...]:
    """A list of strings, none of them twice."""
    if (
        not isinstance(value, list)
        or not all(isinstance(item, str) for item in value)
        or len(set(value)) != len(value)
    ):
        must = "a list of different strings"
        raise MalformedError(f"{where}={quoted(value)}, but must be {must} [hello]")
    return tuple(value)


def _words(
    message: Mapping[str, Any], key: str, known: Collection[str]
) -> tuple[str, ...]:
    found = _distinct(message[key], key)
    for word in found:
        if word not in known:
            must = f"of {', '.join(known)}"
            raise MalformedError(f"{key}: {quoted(word)}, but must be {must} [hello]")
    return found
