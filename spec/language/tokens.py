"""Text to tokens, and errors of one line that show the place.

Shared by formulas and boxes. Nothing is evaluated here, and no text, however long or
odd, costs more than reading it once.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import get_close_matches
from fractions import Fraction
from typing import Literal, NamedTuple

LONGEST = 2000
"""How many characters a formula or a box may have."""

MOST_DIGITS = 100
"""How many digits a number may have."""

LARGEST_EXPONENT = 400
"""Up to which power of ten a number may reach, either way."""

_EXCERPT = 60
_NAME = 30


class ClaimError(ValueError):
    """A claim that cannot be read; its text is one line."""


class Token(NamedTuple):
    """One token and where it starts."""

    kind: Literal["number", "name", "sign", "end"]
    text: str
    start: int

    @property
    def shown(self) -> str:
        """What a message calls it."""
        return "the end" if self.kind == "end" else quoted(self.text)


class Source(NamedTuple):
    """What is read: "formula" or "box", and its text."""

    what: str
    text: str

    def error(self, message: str, start: int) -> ClaimError:
        """The error whose caret stands before the character at `start`."""
        first = max(0, min(start - _EXCERPT // 2, len(self.text) - _EXCERPT))
        last = first + _EXCERPT
        before, after = self.text[first:start], self.text[start:last]
        head = "..." if first else ""
        tail = "..." if last < len(self.text) else ""
        place = f"{head}{one_line(before)}^{one_line(after)}{tail}"
        return ClaimError(f"{self.what}: {message} at column {start + 1}: {place}")


def one_line(text: str) -> str:
    """Text with every space as a blank and every control character as `?`."""
    shown = (" " if c.isspace() else c if c.isprintable() else "?" for c in text)
    return "".join(shown)


def quoted(text: str) -> str:
    """A word in quotes, cut where it is long."""
    short = text if len(text) <= _NAME else text[: _NAME - 3] + "..."
    return f"'{one_line(short)}'"


CALLED = {
    "m": ("margin",),
    "s": ("scale",),
    "h": ("concentration",),
    "z": ("margin_scaler",),
    "z_hat": ("margin_scaler",),
    "t": ("curriculum",),
    "q": ("multiplier",),
    "m1": ("multiplier",),
    "m2": ("angular_offset",),
    "m3": ("additive_offset",),
    "c": ("target_cosine",),
    "cos_theta": ("target_cosine",),
    "theta": ("angle",),
    "acos": ("angle",),
    "arccos": ("angle",),
    "p": ("probability",),
    "P": ("probability",),
    "g": ("gst",),
    "norm": ("feature_norm",),
    "norms": ("feature_norm",),
    "n": ("rival_cosine",),
    "where": ("box",),
    "domain": ("box",),
    "verdict": ("expected",),
}
"""What quantities and keys are called elsewhere, and their names here."""


def did_you_mean(word: str, known: tuple[str, ...]) -> str:
    """`, did you mean 'gst'?` where one of the known is close; else nothing.

    What papers and code call a quantity leads to its name here.
    """
    called = [name for name in CALLED.get(word, ()) if name in known]
    if called:
        return f", did you mean {' or '.join(map(repr, called))}?"
    close = get_close_matches(word[:_NAME], known, 1)
    return f", did you mean '{close[0]}'?" if close else ""


_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<sign>\*\*|[<>=!]=|[-+*/<>=(),\[\]{}])"
)
_BLANKS = re.compile(r"[ \t\r\n]*")

_WRITE = {
    "^": "**",
    "&": "and",
    "|": "or",
    "!": "not",
    "~": "not",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "−": "-",
    "·": "*",
    "×": "*",
    "π": "pi",
    "θ": "angle",
    "∞": "inf",
}
"""What is meant by a character that has no meaning here."""


def tokens(source: Source) -> tuple[Token, ...]:
    """Splits a text.

    Args:
        source: what is read.

    Returns:
        Its tokens, with one of kind "end" behind them.

    Raises:
        ClaimError: for a text that is too long, or a character without meaning.
    """
    text = source.text
    if len(text) > LONGEST:
        raise ClaimError(
            f"{source.what}: {len(text)} characters, but must be at most {LONGEST}"
        )
    found: list[Token] = []
    place = _after_blanks(text, 0)
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise source.error(_no_meaning(text[place]), place)
        kind: Literal["number", "name", "sign"]
        kind = match.lastgroup  # type: ignore[assignment]
        found.append(Token(kind, match.group(), place))
        place = _after_blanks(text, match.end())
    end = found[-1].start + len(found[-1].text) if found else 0
    return (*found, Token("end", "", end))


def _after_blanks(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place


def _no_meaning(character: str) -> str:
    hint = f", write {_WRITE[character]}" if character in _WRITE else ""
    if character == ":":
        hint = ", a profile is given beside the formula (--profile, or the key profile)"
    if character.isascii() and character.isprintable():
        return f"character {character} has no meaning here{hint}"
    name = unicodedata.name(character, "a control character")
    return f"character U+{ord(character):04X} ({name}) has no meaning here{hint}"


def exact(token: Token, source: Source) -> Fraction:
    """The number that a token writes, exactly.

    Args:
        token: of kind "number".
        source: what it stands in, for the message.

    Returns:
        Its value.

    Raises:
        ClaimError: for too many digits or too large an exponent.
    """
    mantissa, _, exponent = token.text.lower().partition("e")
    if len(mantissa) > MOST_DIGITS:
        raise source.error(f"a number of more than {MOST_DIGITS} digits", token.start)
    if abs(int(exponent or 0)) > LARGEST_EXPONENT:
        raise source.error(f"an exponent beyond {LARGEST_EXPONENT}", token.start)
    return Fraction(token.text)
