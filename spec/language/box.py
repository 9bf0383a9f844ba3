"""The box of a claim: where it is made. `margin=0.4, target_cosine in [-0.9, 1)`.

`name=value`, `name in [lo, hi]` (an end may be open), `name in {v1, v2}`, separated by
commas. Values are exact: decimals, fractions, multiples of pi. A quantity that is not
named takes its recommended value; a cosine or a margin scaler its full open domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr, true

from adaface_ref.spec.language.grammar import Reader
from adaface_ref.spec.language.inputs import inputs_of, losses_of, recommended
from adaface_ref.spec.language.language import Proposition, inputs
from adaface_ref.spec.language.tokens import (
    ClaimError,
    Source,
    Token,
    did_you_mean,
    quoted,
)
from adaface_ref.spec.language.values import printed, read_value
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import CLAMPS
from adaface_ref.spec.symbols import QUANTITIES

MOST_VALUES = 64
"""How many values `name in {...}` may list."""


@dataclass(frozen=True)
class Range:
    """An interval of exact numbers; an end may be infinite, and is open then."""

    low: Expr
    high: Expr
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True)
class Choice:
    """Finitely many exact numbers; one alone is a fixed value."""

    values: tuple[Expr, ...]


Box = Mapping[str, Range | Choice]
"""By the names of inputs, in the order of the vocabulary."""


def parse_box(text: str) -> dict[str, Range | Choice]:
    """Reads a box as written.

    Raises:
        ClaimError: in one line, with a caret before what is wrong; also for an empty
            interval, an unknown name, a value outside its quantity's domain.
    """
    reader = Reader(Source("box", text))
    box: dict[str, Range | Choice] = {}
    while reader.token.kind != "end" or box:
        name = _name(reader)
        if name.text in box:
            raise reader.error(f"'{name.text}' is given twice", name)
        box[name.text] = _part(reader, name)
        if reader.token.kind == "end":
            break
        _skip(reader, ",")
    return {name: box[name] for name in QUANTITIES if name in box}


def _skip(reader: Reader, *texts: str) -> Token:
    token = reader.take()
    if token.text not in texts:
        wanted = " or ".join(f"'{text}'" for text in texts)
        raise reader.error(f"{wanted} is expected, not {token.shown}", token)
    return token


def _name(reader: Reader) -> Token:
    token = reader.take()
    name = token.text
    if token.kind != "name":
        raise reader.error(f"a name is expected, not {token.shown}", token)
    if name in CLAMPS:
        raise reader.error(f"'{name}' is set by the profile", token)
    if name in QUANTITIES and name not in inputs():
        raise reader.error(f"'{name}' is derived, not an input", token)
    if name not in inputs():
        hint = did_you_mean(name, inputs())
        raise reader.error(f"unknown name {quoted(name)}{hint}", token)
    return token


def _part(reader: Reader, name: Token) -> Range | Choice:
    if _skip(reader, "=", "in").text == "=":
        return Choice((_fixed(reader, name.text),))
    bracket = _skip(reader, "[", "(", "{")
    if bracket.text == "{":
        return _values(reader, name)
    return _range(reader, name, bracket.text == "(")


def _fixed(reader: Reader, name: str) -> Expr:
    """One value, inside the domain of its quantity."""
    start = reader.token
    value = read_value(reader)
    domain = QUANTITIES[name].domain
    if not value.is_finite or domain.contains(value) is not true:
        message = f"{name}={printed(value)}, but must be {_domain(name)},"
        raise reader.error(message, start)
    return value


def _values(reader: Reader, name: Token) -> Choice:
    values: list[Expr] = []
    mark = ","
    while mark == ",":
        start = reader.token
        value = _fixed(reader, name.text)
        if value in values:
            raise reader.error(f"{printed(value)} is given twice", start)
        values.append(value)
        mark = _skip(reader, ",", "}").text
    if len(values) > MOST_VALUES:
        message = f"{len(values)} values, but must be at most {MOST_VALUES},"
        raise reader.error(message, name)
    return Choice(tuple(values))


def _range(reader: Reader, name: Token, low_open: bool) -> Range | Choice:
    """What follows the opening bracket of an interval."""
    low_token, low = reader.token, read_value(reader)
    _skip(reader, ",")
    high_token, high = reader.token, read_value(reader)
    high_open = _skip(reader, "]", ")").text == ")"
    part = Range(low, high, low_open, high_open)
    for end, is_open, token in (
        (low, low_open, low_token),
        (high, high_open, high_token),
    ):
        if not end.is_finite and not is_open:
            raise reader.error("an infinite end must be open", token)
    if low > high or (low == high and (low_open or high_open)):
        raise reader.error(f"{name.text} {_shown(part)} is empty", low_token)
    if not _inside(part, name.text):
        must = _domain(name.text)
        message = f"{name.text} {_shown(part)}, but must be {must},"
        raise reader.error(message, low_token)
    return Choice((low,)) if low == high else part


def _domain_of(name: str) -> Range:
    domain = QUANTITIES[name].domain
    left, right = bool(domain.left_open), bool(domain.right_open)
    return Range(domain.start, domain.end, left, right)


def _domain(name: str) -> str:
    return _shown(_domain_of(name))


def _inside(part: Range, name: str) -> bool:
    domain = _domain_of(name)
    if part.low < domain.low or part.high > domain.high:
        return False
    low = part.low > domain.low or part.low_open >= domain.low_open
    high = part.high < domain.high or part.high_open >= domain.high_open
    return bool(low and high)


def completed(given: Box, loss: str, formula: Proposition) -> dict[str, Range | Choice]:
    """Fills in what is not named, for the inputs that the loss and the formula have.

    Raises:
        ClaimError: for target_cosine beside angle, margin_scaler beside standard_norm,
            a name that the claim does not depend on, a multiplier that is not integer.
    """
    names = inputs_of(formula, loss, given.keys())
    losses = losses_of(formula, loss)
    for name in given:
        if name not in names:
            known = ", ".join(names)
            raise ClaimError(
                f"box: '{name}' has no part in this claim, which depends on {known}"
            )
    box = {name: given.get(name) or _default(name, losses) for name in names}
    if any(LOSSES[named].has_arcs for named in losses):
        _check_arcs(box["multiplier"])
    _check_below(box, "norm_lower", "norm_upper", strict=True)
    _check_below(box, "margin_lower", "margin_upper", strict=False)
    return box


_OPEN = ("target_cosine", "angle", "other_cosine", "margin_scaler")
"""Free on the inside of their domains where a box does not name them."""


def _default(name: str, losses: tuple[str, ...]) -> Range | Choice:
    value = recommended(name, losses)
    if value is not None:
        return Choice((value,))
    domain = _domain_of(name)
    return Range(domain.low, domain.high, True, True) if name in _OPEN else domain


def _check_arcs(part: Range | Choice) -> None:
    values = part.values if isinstance(part, Choice) else ()
    if not values or not all(value.is_Integer for value in values):
        shown = describe({"multiplier": part})
        raise ClaimError(f"box: {shown}, but must be integers [sphereface]")


def _check_below(
    box: dict[str, Range | Choice], low: str, high: str, *, strict: bool
) -> None:
    """Refuses a box in which the lower of two inputs may pass the upper."""
    if low not in box or high not in box:
        return
    last, last_open = _ends(box[low])[1]
    first, first_open = _ends(box[high])[0]
    touching = last == first and not (last_open or first_open)
    if last > first or (strict and touching):
        shown = describe({name: box[name] for name in (low, high)})
        must = "below" if strict else "at most"
        raise ClaimError(f"box: {shown}, but {low} must be {must} {high}")


def _ends(part: Range | Choice) -> tuple[tuple[Expr, bool], tuple[Expr, bool]]:
    """The least and the greatest value, and whether each is left out."""
    if isinstance(part, Choice):
        inner = sorted(part.values)
        return (inner[0], False), (inner[-1], False)
    return (part.low, part.low_open), (part.high, part.high_open)


def describe(box: Box) -> str:
    """A box as text that `parse_box` reads back to the same.

    Args:
        box: completed or not.

    Returns:
        `scale=64, margin=0.4, target_cosine in (-1, 1)`.
    """
    words = []
    for name, part in box.items():
        if isinstance(part, Range):
            words.append(f"{name} {_shown(part)}")
        elif len(part.values) == 1:
            words.append(f"{name}={printed(part.values[0])}")
        else:
            words.append(f"{name} in {{{', '.join(map(printed, part.values))}}}")
    return ", ".join(words)


def _shown(part: Range) -> str:
    left, right = "(" if part.low_open else "[", ")" if part.high_open else "]"
    return f"in {left}{printed(part.low)}, {printed(part.high)}{right}"
