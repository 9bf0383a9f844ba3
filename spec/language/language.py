"""The language of claims: text to a tree, by a grammar of its own, without evaluation.

A formula is a proposition: comparisons of expressions, joined by `and`, `or`, `not`,
`implies(a, b)`, `iff(a, b)`. An expression has quantities by name, numbers, pi,
`+ - * / **`, abs, min, max, sqrt, exp, log, sin, cos, and three forms of its own:
`diff(e, name)`, `at(e, name=e, ...)` and `loss(id, e)`. Decimals are exact: 0.4 is 2/5.
"""

from __future__ import annotations

from sympy import Rational, pi

from adaface_ref.spec import gst
from adaface_ref.spec.language.grammar import COMPARISONS, Node, Reader
from adaface_ref.spec.language.tokens import (
    ClaimError,
    Source,
    Token,
    did_you_mean,
    exact,
)
from adaface_ref.spec.language.tree import (
    At,
    Call,
    Comparison,
    Derivative,
    Expression,
    Join,
    Name,
    Number,
    OfLoss,
    Operation,
    Proposition,
    parts,
)
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import CLAMPS
from adaface_ref.spec.symbols import QUANTITIES

__all__ = [
    "At",
    "Call",
    "ClaimError",
    "Comparison",
    "Derivative",
    "Expression",
    "Join",
    "Name",
    "Number",
    "OfLoss",
    "Operation",
    "Proposition",
    "parse_formula",
    "parts",
]

DERIVED = tuple(gst.QUANTITIES)
"""What follows from the inputs, and can be asked of a loss."""

NOT_ASKED = ("angular_margin", "additive_margin")
"""In the vocabulary, but not to be asked of a loss."""


FUNCTIONS: dict[str, tuple[int, int]] = {
    "abs": (1, 1),
    "min": (2, 16),
    "max": (2, 16),
    "sqrt": (1, 1),
    "exp": (1, 1),
    "log": (1, 1),
    "sin": (1, 1),
    "cos": (1, 1),
}
"""The fewest and the most arguments of each."""

CONNECTIVES = ("implies", "iff")
"""Functions of two propositions."""

FORMS = ("diff", "at", "loss")

LARGEST_POWER = 16
"""The largest exponent; powers of powers may reach four times as far."""

DEEPEST_FORMS = 6
"""How deep diff, at and loss may be nested in each other."""


def inputs() -> tuple[str, ...]:
    """What a box gives, and what `diff` and `at` take."""
    apart = (*DERIVED, *CLAMPS, *NOT_ASKED)
    return tuple(name for name in QUANTITIES if name not in apart)


def parse_formula(text: str) -> Proposition:
    """Reads a proposition.

    Args:
        text: as a person writes it.

    Returns:
        Its tree.

    Raises:
        ClaimError: in one line, with a caret before what is wrong.
    """
    reader = Reader(Source("formula", text))
    if reader.token.kind == "end":
        raise ClaimError("formula: empty, but must be a comparison such as gst <= 0")
    node = reader.whole()
    meaning = _Meaning(reader)
    if not _is_proposition(node):
        meaning.expression(node)
        message = "a comparison is missing, such as <= 0,"
        raise reader.error(message, reader.token)
    return meaning.proposition(node)


def _is_proposition(node: Node) -> bool:
    if node.word == "call":
        return node.token.text in CONNECTIVES
    return node.word in (*COMPARISONS, "and", "or", "not")


class _Meaning:
    """Gives nodes their meaning: checks kinds, names and numbers of arguments."""

    def __init__(self, reader: Reader) -> None:
        self._source = reader.source
        self._error = reader.error

    def proposition(self, node: Node) -> Proposition:
        if not _is_proposition(node):
            message = "an expression where a comparison is expected"
            raise self._error(message, node.token)
        if node.word in COMPARISONS:
            left, right = map(self.expression, node.parts)
            return Comparison(node.word, left, right)
        if node.word == "call":
            self._count(node, 2, 2)
        word = node.token.text if node.word == "call" else node.word
        return Join(word, tuple(map(self.proposition, node.parts)))

    def expression(self, node: Node) -> Expression:
        if _is_proposition(node):
            what = "a comparison" if node.word in COMPARISONS else node.token.shown
            message = f"{what} where an expression is expected"
            raise self._error(message, node.token)
        match node.word:
            case "number":
                value = exact(node.token, self._source)
                return Number(Rational(value.numerator, value.denominator))
            case "name":
                return self._name(node.token)
            case "neg":
                return Call("neg", (self.expression(node.parts[0]),))
            case "call":
                return self._call(node)
            case "keyword":
                message = f"{node.token.text}= belongs in at(...), to compare write =="
                raise self._error(message, node.token)
            case "**":
                return self._power(node)
        return Operation(node.word, *map(self.expression, node.parts))

    def _name(self, token: Token) -> Expression:
        name = token.text
        if name == "pi":
            return Number(pi)
        if name in (*inputs(), *DERIVED, *CLAMPS):
            return Name(name)
        if name in (*FUNCTIONS, *CONNECTIVES, *FORMS):
            raise self._error(f"'{name}' is a function, write {name}(...),", token)
        if name in NOT_ASKED:
            known = ", ".join(DERIVED)
            raise self._error(f"'{name}' is not one of {known},", token)
        raise self._unknown("name", token, (*inputs(), *DERIVED, *CLAMPS, "pi"))

    def _unknown(self, what: str, token: Token, known: tuple[str, ...]) -> ClaimError:
        hint = did_you_mean(token.text, known)
        return self._error(f"unknown {what} {token.shown}{hint}", token)

    def _call(self, node: Node) -> Expression:
        name = node.token.text
        if name in FORMS:
            return self._form(node)
        if name in FUNCTIONS:
            self._count(node, *FUNCTIONS[name])
            return Call(name, tuple(map(self.expression, node.parts)))
        if name in (*QUANTITIES, "pi"):
            raise self._error(f"'{name}' is not a function", node.token)
        known = (*FUNCTIONS, *CONNECTIVES, *FORMS, "angle")
        raise self._unknown("function", node.token, known)

    def _count(self, node: Node, fewest: int, most: int) -> None:
        count, name = len(node.parts), node.token.text
        if fewest <= count <= most:
            return
        wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        plural = "" if wanted == "1" else "s"
        message = f"{name} takes {wanted} argument{plural}, not {count},"
        raise self._error(message, node.token)

    def _power(self, node: Node) -> Expression:
        left, right = node.parts
        exponent = self._exponent(right)
        power = Operation("**", self.expression(left), Number(exponent))
        return self._bounded(power, node.token)

    def _bounded(self, tree: Expression, token: Token) -> Expression:
        """Refuses what is short to write and takes for ever to work out."""
        if _degree(tree) > 4 * LARGEST_POWER:
            raise self._error(f"powers of powers beyond {4 * LARGEST_POWER}", token)
        if _forms(tree) > DEEPEST_FORMS:
            message = f"diff, at and loss nested more than {DEEPEST_FORMS} deep"
            raise self._error(message, token)
        return tree

    def _exponent(self, node: Node) -> Rational:
        value = self._plain_number(node)
        if value is None or (2 * value).q != 1:
            message = "an exponent must be an integer or a half, as a number,"
            raise self._error(message, node.token)
        if abs(value) > LARGEST_POWER:
            message = f"an exponent must be at most {LARGEST_POWER} in size"
            raise self._error(message, node.token)
        return value

    def _plain_number(self, node: Node) -> Rational | None:
        """A literal, its negative, or a quotient of two; else None."""
        if node.word == "number":
            value = exact(node.token, self._source)
            return Rational(value.numerator, value.denominator)
        inner = [self._plain_number(part) for part in node.parts]
        if node.word == "neg" and inner[0] is not None:
            return -inner[0]
        if node.word == "/" and inner[0] is not None and inner[1]:
            return inner[0] / inner[1]
        return None

    def _form(self, node: Node) -> Expression:
        made = {"diff": self._derivative, "at": self._at, "loss": self._of_loss}
        return self._bounded(made[node.token.text](node), node.token)

    def _derivative(self, node: Node) -> Expression:
        self._count(node, 2, 2)
        of, by = node.parts
        return Derivative(self.expression(of), self._input(by, "name"))

    def _input(self, node: Node, word: str) -> str:
        """The name of an input, which stands as a node of kind `word`."""
        name = node.token.text
        if node.word == word and name in inputs():
            return name
        if node.word == word and name not in (*QUANTITIES, *FUNCTIONS, *FORMS, "pi"):
            raise self._unknown("name", node.token, inputs())
        if node.word == word and name in CLAMPS:
            raise self._error(f"'{name}' is set by the profile", node.token)
        if node.word == word and name in QUANTITIES:
            message = f"an input is expected, '{name}' is derived,"
            raise self._error(message, node.token)
        wanted = "name=value" if word == "keyword" else "the name of an input"
        raise self._error(f"{wanted} is expected", node.token)

    def _at(self, node: Node) -> Expression:
        if len(node.parts) < 2:
            raise self._error("at takes an expression and name=value", node.token)
        of = self.expression(node.parts[0])
        values: dict[str, Expression] = {}
        for part in node.parts[1:]:
            name = self._input(part, "keyword")
            if name in values:
                raise self._error(f"'{name}' is given twice", part.token)
            values[name] = self.expression(part.parts[0])
        if {"angle", "target_cosine"} <= values.keys():
            message = "target_cosine and angle are one input, give one of them,"
            raise self._error(message, node.token)
        return At(of, tuple(values.items()))

    def _of_loss(self, node: Node) -> Expression:
        self._count(node, 2, 2)
        name, of = node.parts
        if name.word != "name" or name.token.text not in LOSSES:
            raise self._unknown("loss", name.token, tuple(LOSSES))
        return OfLoss(name.token.text, self.expression(of))


def _degree(tree: Expression | Proposition) -> Rational:
    """To which power a base in it may be raised, by powers and by substitution."""
    inner = [_degree(part) for part in parts(tree)] or [Rational(1)]
    match tree:
        case Operation("**", _, Number(exponent)):
            return max(1, abs(exponent)) * inner[0]
        case At():
            return inner[0] * max(inner[1:])
    return max(inner)


def _forms(tree: Expression | Proposition) -> int:
    inner = max(map(_forms, parts(tree)), default=0)
    return inner + isinstance(tree, Derivative | At | OfLoss)
