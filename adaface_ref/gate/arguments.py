"""`--arg name=value`, parsed and never evaluated."""

from __future__ import annotations

from collections.abc import Iterable

from adaface_ref.errors import DomainError

WORDS = {"true": True, "false": False, "none": None}


def parse_arguments(texts: Iterable[str]) -> dict[str, object]:
    """Read arguments for a head.

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
