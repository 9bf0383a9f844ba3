"""Exact values in a box: decimals, fractions and multiples of pi, read and printed."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from sympy import Expr, Rational, oo, pi

from adaface_ref.spec.language.grammar import SUM, Node, Reader
from adaface_ref.spec.language.tokens import LARGEST_EXPONENT, MOST_DIGITS, exact

SHORT = 17
"""Up to how many digits a rational is printed as a decimal."""


class _Value(NamedTuple):
    """`plain + turns pi`."""

    plain: Fraction
    turns: Fraction = Fraction(0)


def read_value(reader: Reader) -> Expr:
    """Reads one value.

    Args:
        reader: stands before it, and behind it afterwards.

    Returns:
        An exact number; an infinity for `inf` and `-inf`.

    Raises:
        ClaimError: for names, functions, powers, products of pi, division by zero,
            and numbers of more than MOST_DIGITS digits.
    """
    node = reader.expression(SUM)
    infinite = node.parts[0] if node.word == "neg" else node
    if infinite.word == "name" and infinite.token.text == "inf":
        return oo if infinite is node else -oo
    value = _value(node, reader)
    if not all(map(_writable, value)):
        raise reader.error(f"a number of more than {MOST_DIGITS} digits", node.token)
    return _rational(value.plain) + _rational(value.turns) * pi


def _rational(value: Fraction) -> Rational:
    return Rational(value.numerator, value.denominator)


def _value(node: Node, reader: Reader) -> _Value:
    word, token = node.word, node.token
    if word == "number":
        return _Value(exact(token, reader.source))
    if word == "name" and token.text == "pi":
        return _Value(Fraction(0), Fraction(1))
    if word not in ("neg", "+", "-", "*", "/"):
        message = f"a value is a number or a multiple of pi, not {token.shown}"
        raise reader.error(message, token)
    parts = [_value(part, reader) for part in node.parts]
    if word == "/" and parts[1] == _Value(Fraction(0)):
        raise reader.error("division by zero", token)
    done = _combined(word, parts)
    if done is None:
        raise reader.error("a value is a number or a multiple of pi", token)
    if any(x.numerator.bit_length() + x.denominator.bit_length() > 9999 for x in done):
        raise reader.error(f"a number of more than {MOST_DIGITS} digits", token)
    return done


def _combined(word: str, parts: list[_Value]) -> _Value | None:
    """The operation, or None for a product or quotient that leaves a + b pi."""
    left, right = parts[0], parts[-1]
    match word:
        case "neg":
            return _Value(-left.plain, -left.turns)
        case "+":
            return _Value(left.plain + right.plain, left.turns + right.turns)
        case "-":
            return _Value(left.plain - right.plain, left.turns - right.turns)
        case "*" if not right.turns:
            return _Value(left.plain * right.plain, left.turns * right.plain)
        case "*" if not left.turns:
            return _Value(left.plain * right.plain, left.plain * right.turns)
        case "/" if not right.turns:
            return _Value(left.plain / right.plain, left.turns / right.plain)
    return None


def printed(value: Expr) -> str:
    """A value as text that `read_value` reads back.

    Args:
        value: an exact number of a box, or an infinity.

    Returns:
        A short decimal where there is one, else a fraction; multiples of pi as such.
    """
    if value in (oo, -oo):
        return "inf" if value == oo else "-inf"
    turns = value.coeff(pi)
    plain = value - turns * pi
    if not turns.is_Rational or not plain.is_Rational:
        return str(value)
    rest = Fraction(int(plain.p), int(plain.q))
    if turns == 0:
        return _printed(rest)
    circle = _multiple(Fraction(int(turns.p), int(turns.q)))
    if rest == 0:
        return circle
    return f"{circle} {'+' if rest > 0 else '-'} {_printed(abs(rest))}"


def _multiple(turns: Fraction) -> str:
    """`pi/2`, `-pi`, `3*pi/4`."""
    sign = "-" if turns < 0 else ""
    times, parts = abs(turns.numerator), turns.denominator
    head = "" if times == 1 else f"{_printed(Fraction(times))}*"
    return f"{sign}{head}pi" + ("" if parts == 1 else f"/{_printed(Fraction(parts))}")


def _printed(value: Fraction) -> str:
    digits = _digits(value)
    if digits is not None and len(str(abs(digits[0]))) <= SHORT:
        return _decimal(*digits)
    top, bottom = value.numerator, value.denominator
    if max(len(str(abs(top))), len(str(bottom))) <= MOST_DIGITS:
        return f"{top}/{bottom}" if bottom != 1 else str(top)
    return _decimal(*digits) if digits is not None else str(value)


def _writable(value: Fraction) -> bool:
    """Whether some text of MOST_DIGITS digits writes the value."""
    digits = _digits(value)
    if digits is not None and len(str(abs(digits[0]))) < MOST_DIGITS:
        return abs(digits[1]) <= LARGEST_EXPONENT
    sides = (abs(value.numerator), value.denominator)
    return max(len(str(side)) for side in sides) <= MOST_DIGITS


def _digits(value: Fraction) -> tuple[int, int] | None:
    """(n, k) with value = n 10^k and n not a multiple of 10, if there is one."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return None
    places = max(twos, fives)
    number = value.numerator * 10**places // value.denominator
    while number and number % 10 == 0:
        number, places = number // 10, places - 1
    return number, -places if number else 0


def _decimal(number: int, exponent: int) -> str:
    size = len(str(abs(number)))
    if exponent >= 0:
        plain = size + exponent <= SHORT
        return str(number * 10**exponent) if plain else f"{number}e{exponent}"
    if size - exponent > SHORT + 3:
        return f"{number}e{exponent}"
    sign, digits = "-" if number < 0 else "", str(abs(number)).zfill(1 - exponent)
    return f"{sign}{digits[:exponent]}.{digits[exponent:]}"
