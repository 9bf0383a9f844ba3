"""Float64 with a rigorous bound on its error, on tensors of exact cosines.

A SymPy tree becomes straight-line torch code in which every node v that depends on the
cosine has a size M >= |v| and a number k, known beforehand, with |truth - v| <= k M. In
products, quotients, roots and sums of one sign M is |v| itself and costs nothing; where
terms may cancel it is a tensor of its own. Bounds are first order with their second
order written out; SLACK pays for the rounding of the sizes. Where a denominator may be
zero, or anything is not finite, M is infinite or NaN: such a point is never decided.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from sympy import (
    Abs,
    Add,
    Expr,
    Integer,
    Mul,
    Pow,
    Rational,
    S,
    cos,
    exp,
    log,
    sign,
    sqrt,
)
from sympy import sin as sine_of

from adaface_ref.compiler import SINE_OF_FLOATS, angle_of, from_cosine
from adaface_ref.evidence.sweep.error_nodes import (
    COARSE,
    FLOOR,
    LIBRARY,
    SECOND_ORDER,
    SLACK,
    SMALL,
    UNIT,
    WIDER,
    Inputs,
    Node,
    constant_node,
    corners,
    number_node,
    widened,
)
from adaface_ref.spec.symbols import QUANTITIES, log_logistic, logistic, target_cosine

_NAME = re.compile(r"\bv\d+\b")


class NoBound(TypeError):  # noqa: N818
    """An expression whose error is not known: what it says cannot be swept."""


@dataclass
class Program:
    """Straight-line code with an error bound, one assignment a distinct node.

    Args:
        inputs: which cosines will be given.
        values: every other input, by its symbol.
        coarse: whether sizes are numbers, their greatest ones: half the work, and
            enough where a value is not small for all cosines of its kind.
        names: of what has been assigned, by its code.
        known: the nodes of trees.
    """

    inputs: Inputs
    values: Mapping[Expr, Expr] = field(default_factory=dict)
    coarse: bool = False
    names: dict[str, str] = field(default_factory=dict)
    known: dict[Expr, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        low, high, tiny = self.inputs
        most = max(abs(low), abs(high))
        self.known[target_cosine] = Node("cosine", 0.0, low, high, tiny, most)

    def bounded(self, expression: Expr) -> Node:
        """The node of an expression in the angle or in the target cosine."""
        fixed = expression.xreplace(dict(self.values))
        return self._node(from_cosine(fixed, SINE_OF_FLOATS))

    def function(self, *results: str) -> Callable[[torch.Tensor], tuple[Any, ...]]:
        """Compiles what was asked for so far."""
        returned = "".join(f"{name}, " for name in results)
        body = "\n    ".join([*self._lines(results), f"return ({returned})"])
        scope: dict[str, Any] = dict(_SCOPE)
        exec(compile(f"def compiled(cosine):\n    {body}\n", "<claim>", "exec"), scope)
        function: Callable[[torch.Tensor], tuple[Any, ...]] = scope["compiled"]
        return function

    def _lines(self, results: Sequence[str]) -> list[str]:
        """The assignments, each name deleted after its last use: caches are small."""
        lines: list[str] = []
        kept = {"cosine", *results}
        for code, name in reversed(self.names.items()):
            used = dict.fromkeys(_NAME.findall(code))
            over = [other for other in used if other not in kept]
            kept |= used.keys()
            lines += [f"del {', '.join(over)}"] if over else []
            lines.append(f"{name} = {code}")
        return lines[::-1]

    def error(self, node: Node) -> str:
        """Code of |truth - value|'s bound."""
        if self.coarse:
            return repr(node.factor * SLACK * node.most)
        return f"{node.factor * SLACK!r} * {self.size(node)}"

    def assign(self, code: str) -> str:
        """A new name for the value of a piece of code."""
        if code not in self.names:
            self.names[code] = f"v{len(self.names)}"
        return self.names[code]

    def _node(self, tree: Expr) -> Node:
        if tree not in self.known:
            depends = tree.has(target_cosine)
            node = self._rule(tree) if depends else constant_node(tree)
            self.known[tree] = node
        return self.known[tree]

    def _rule(self, tree: Expr) -> Node:
        if isinstance(tree, Add):
            return self._sum(tree)
        if isinstance(tree, Mul):
            return self._product(tree)
        if isinstance(tree, Pow):
            return self._power(*tree.args)
        if type(tree) in _FUNCTIONS and tree.func is not angle_of:
            return _FUNCTIONS[type(tree)](self, self._node(tree.args[0]))
        if tree == angle_of(target_cosine):
            return self._angle()
        raise NoBound(f"{tree}, but no error bound is known for it [running_error]")

    def size(self, node: Node) -> str:
        if self.coarse:
            return repr(node.most)
        if node.size or node.low >= 0:
            return node.size or node.value
        return self.absolute(node)

    def _sized(self, code: str) -> str:
        """A name for a size; a coarse one is the node's `most` and needs no code."""
        return COARSE if self.coarse else self.assign(code)

    def absolute(self, node: Node) -> str:
        if node.number is not None:
            return repr(abs(node.number))
        if node.low >= 0:
            return node.value
        return self.assign(f"{node.value}.abs()")

    def _floored(self, node: Node) -> Node:
        """The same, where sizes that may have underflowed are lifted to FLOOR."""
        if node.tiny >= FLOOR:
            return node
        size = self._sized(f"{self.size(node)}.clamp(min={FLOOR!r})")
        factor, most = node.factor + UNIT, max(node.most, FLOOR)
        return replace(node, size=size, factor=factor, tiny=FLOOR, most=most)

    def _sum(self, tree: Add) -> Node:
        fixed, moving = tree.as_independent(target_cosine, as_Add=True)
        terms = [*Add.make_args(moving), *([fixed] if fixed is not S.Zero else [])]
        terms.sort(key=lambda term: bool(term.could_extract_minus_sign()))
        first, *rest = terms
        node = self._node(first)
        for term in rest:
            negative = bool(term.could_extract_minus_sign())
            node = self._plus(node, self._node(-term if negative else term), negative)
        return node

    def _plus(self, a: Node, b: Node, negative: bool = False) -> Node:
        value = self.assign(f"{a.value} {'-' if negative else '+'} {b.value}")
        b_low, b_high = (-b.high, -b.low) if negative else (b.low, b.high)
        most, factor = a.most + b.most, max(a.factor, b.factor)
        low, high = widened(a.low + b_low, a.high + b_high, most)
        same = (a.low >= 0 and b_low >= 0) or (a.high <= 0 and b_high <= 0)
        exact = a.factor == b.factor == 0
        tiny = min(a.tiny, b.tiny)
        if exact or (same and a.is_relative and b.is_relative):
            factor = factor * (1 + UNIT) + UNIT
            # What is left of two floats is a multiple of the last place of one.
            tiny = max(tiny * (1 if same else UNIT), low, -high)
            if same:
                is_above = a.low >= 0 and b_low >= 0
                low = max(low, 0.0) if is_above else low
                high = high if is_above else min(high, 0.0)
            return self._floored(Node(value, factor, low, high, tiny, most))
        size = self._sized(f"{self.size(a)} + {self.size(b)}")
        return Node(value, factor + UNIT, low, high, tiny, most, size)

    def _product(self, tree: Mul) -> Node:
        fixed, moving = tree.as_independent(target_cosine, as_Add=False)
        factors = Mul.make_args(moving)
        below = [f for f in factors if isinstance(f, Pow) and f.exp.is_negative]
        above = [f for f in factors if f not in below]
        if fixed is not S.One or not above:
            above.insert(0, fixed)
        first, *rest = above
        node = self._node(first)
        for factor in rest:
            node = self._times(node, self._node(factor))
        for factor in below:
            node = self._over(node, self._node(1 / factor))
        return node

    def _times(self, a: Node, b: Node) -> Node:
        if a.number == 1:
            return b
        low, high = corners(a, b)
        if a is b:
            low = max(low, 0.0)
        factor = (a.factor + b.factor + a.factor * b.factor) * (1 + UNIT) + UNIT
        if a.number is not None and abs(math.frexp(a.number)[0]) == 0.5:
            factor -= UNIT  # a power of two rounds nothing
        negated = a.number == -1
        value = f"-{b.value}" if negated else f"{a.value} * {b.value}"
        size = ""
        if not (a.is_relative and b.is_relative):
            size = self.size(b) if negated else f"{self.size(a)} * {self.size(b)}"
        return self._made(
            value, factor, low, high, a.tiny * b.tiny, a.most * b.most, size
        )

    def _made(
        self,
        value: str,
        factor: float,
        low: float,
        high: float,
        tiny: float,
        most: float,
        size: str = "",
    ) -> Node:
        """Assigns the value and its size; lifts the size where it may underflow."""
        name = self.assign(value)
        if size and not size.isidentifier():
            size = self._sized(size)
        return self._floored(Node(name, factor, low, high, tiny, most, size))

    def _over(self, a: Node, b: Node) -> Node:
        low, high = -math.inf, math.inf
        if b.least > 0 and b.is_finite:
            inverse = replace(b, low=1 / b.high, high=1 / b.low)
            low, high = corners(a, inverse)
        value, tiny = f"{a.value} / {b.value}", a.tiny / b.most
        if b.is_relative and b.is_finite:
            factor = (a.factor + b.factor) / (1 - b.factor) * (1 + UNIT) + UNIT
            size = "" if a.is_relative else f"{self.size(a)} / {self.absolute(b)}"
            most = a.most / b.least * (1 + WIDER) if b.least > 0 else math.inf
            return self._made(value, factor, low, high, tiny, most, size)
        most = math.inf
        factor = (a.factor + b.factor) * SECOND_ORDER + UNIT
        below = self.absolute(b)
        ratio = self._sized(f"{self.size(b)} / {below}")
        size = f"{self.size(a)} / {below} * {ratio}"
        size = self._guarded(f"{ratio} * {b.factor!r} < {SMALL!r}", size)
        return self._made(value, factor, low, high, tiny, most, size)

    def _guarded(self, condition: str, size: str) -> str:
        """A size that is infinite where the bound's condition is not met."""
        return self._sized(f"where({condition}, {size}, inf)")

    def _power(self, base: Expr, exponent: Expr) -> Node:
        if exponent.is_Rational and exponent < 0:
            return self._over(number_node(1.0, 0.0), self._node(base**-exponent))
        if exponent == Rational(1, 2):
            return self._sqrt(self._node(base))
        if exponent.is_Rational and exponent.q == 2:
            root, odd = self._node(sqrt(base)), int(exponent.p)
            return self._integer_power(root, odd)
        if isinstance(exponent, Integer):
            return self._integer_power(self._node(base), int(exponent))
        raise NoBound(
            f"{base**exponent}, but powers must be halves of integers [running_error]"
        )

    def _integer_power(self, base: Node, exponent: int) -> Node:
        if exponent == 1:
            return base
        half = self._integer_power(base, exponent // 2)
        square = self._times(half, half)
        return self._times(base, square) if exponent % 2 else square

    def _sqrt(self, a: Node) -> Node:
        low, high = widened(math.sqrt(max(a.low, 0.0)), math.sqrt(max(a.high, 0.0)))
        low, value = max(low, 0.0), self.assign(f"{a.value}.sqrt()")
        if a.is_relative:
            factor = a.factor / 2 * (1 + a.factor) + UNIT
            tiny, most = math.sqrt(a.tiny) / 2, math.sqrt(a.most) * 2
            return Node(value, factor, low, high, tiny, most)
        above = f"{self.size(a)} * {a.factor!r} < {SMALL!r} * {a.value}"
        size = self._guarded(above, f"{self.size(a)} / {value}")
        tiny = math.sqrt(a.tiny) / 2
        return Node(value, a.factor + UNIT, low, high, tiny, math.inf, size)

    def _exponential(self, name: str, at: Callable[[float], float], a: Node) -> Node:
        """What changes by a factor of at most e^d for a step of d."""
        low, high = widened(at(a.low), at(a.high))
        tiny, most = min(max(low, -high, 0.0), 1.0), max(abs(low), abs(high))
        value = f"{name}({a.value})"
        step = a.factor * a.most
        if a.is_finite and step < 2.0**-30:
            factor = step * SECOND_ORDER * (1 + LIBRARY) + LIBRARY
            return self._made(value, factor, low, high, tiny, most)
        value = self.assign(value)
        size = self._guarded(
            f"{self.size(a)} * {a.factor!r} < {SMALL!r}",
            f"{value}.abs() * (1 + {self.size(a)})",
        )
        factor = a.factor * SECOND_ORDER * (1 + LIBRARY) + LIBRARY
        node = Node(value, factor, low, high, tiny, math.inf, size)
        return self._floored(node)

    def _log(self, a: Node) -> Node:
        low, high = widened(_log_at(a.low), _log_at(a.high), 1.0)
        value = self.assign(f"{a.value}.log()")
        factor = a.factor * SECOND_ORDER + LIBRARY
        ratio = "1"
        if not a.is_relative:
            quotient = self._sized(f"{self.size(a)} / {a.value}")
            small = f"({quotient} > 0) & ({quotient} * {a.factor!r} < {SMALL!r})"
            ratio = self._guarded(small, quotient)
        size = self._sized(f"{value}.abs() + {ratio}")
        most = max(abs(low), abs(high)) + 1 if a.is_relative else math.inf
        return Node(value, factor, low, high, 0.5, most, size)

    def _sin(self, a: Node) -> Node:
        value, factor = self.assign(f"{a.value}.sin()"), a.factor + LIBRARY
        size = self._sized(self.size(a))
        return Node(value, factor, -1.01, 1.01, a.tiny, a.most, size)

    def _cos(self, a: Node) -> Node:
        value, factor = self.assign(f"{a.value}.cos()"), a.factor + LIBRARY
        size = self._sized(f"1 + {self.size(a)}")
        return Node(value, factor, -1.01, 1.01, 1.0, a.most + 1, size)

    def _angle(self) -> Node:
        """The sine's relative error is at most as great relative to the angle."""
        sine, cosine = self._node(SINE_OF_FLOATS), self.known[target_cosine]
        value = self.assign(f"atan2({sine.value}, {cosine.value})")
        low, high = widened(math.acos(cosine.high), math.acos(cosine.low))
        factor = sine.factor * SECOND_ORDER + LIBRARY
        return Node(value, factor, low, high, low, high)

    def _abs(self, a: Node) -> Node:
        if a.low >= 0:
            return a
        value = self.absolute(a)
        return replace(a, value=value, low=a.least, high=max(-a.low, a.high))

    def _sign(self, a: Node) -> Node:
        value = self.assign(f"{a.value}.sign()")
        apart = f"{self.absolute(a)} > {self.error(a)}"
        size = self._guarded(apart, f"{value}.abs()")
        return Node(value, UNIT, -1.0, 1.0, 1.0, math.inf, size)


def _exp_at(x: float) -> float:
    return math.exp(x) if x < 709 else math.inf


def _logistic_at(x: float) -> float:
    return 1 / (1 + _exp_at(-x))


def _log_logistic_at(x: float) -> float:
    return x - math.log1p(math.exp(x)) if x < 0 else -math.log1p(math.exp(-x))


def _log_at(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


_FUNCTIONS: dict[Any, Callable[[Program, Node], Node]] = {
    exp: lambda program, a: program._exponential("exp", _exp_at, a),
    logistic: lambda program, a: program._exponential("sigmoid", _logistic_at, a),
    log_logistic: lambda program, a: program._exponential(
        "logsigmoid", _log_logistic_at, a
    ),
    log: Program._log,
    sine_of: Program._sin,
    cos: Program._cos,
    Abs: Program._abs,
    sign: Program._sign,
}

_SCOPE: Mapping[str, Any] = {
    "where": torch.where,
    "atan2": torch.atan2,
    "exp": torch.exp,
    "sigmoid": torch.sigmoid,
    "logsigmoid": torch.nn.functional.logsigmoid,
    "inf": math.inf,
    "nan": math.nan,
}


def with_error(
    expressions: Sequence[Expr],
    values: Mapping[str, Expr],
    inputs: Inputs,
    *,
    coarse: bool = False,
) -> Callable[[torch.Tensor], tuple[Any, ...]]:
    """Compiles expressions to a function of cosines that returns values and bounds.

    Args:
        expressions: trees of the spec, in the angle.
        values: every other input by name, exact.
        inputs: which cosines will be given.
        coarse: whether one bound serves all cosines.

    Returns:
        A function of a float64 tensor: value, bound, value, bound, ... A bound that
        is not finite says nothing.
    """
    program = Program(inputs, by_symbol(values), coarse)
    nodes = [program.bounded(expression) for expression in expressions]
    return program.function(
        *(code for node in nodes for code in (node.value, program.error(node)))
    )


def by_symbol(values: Mapping[str, Expr]) -> dict[Expr, Expr]:
    """Inputs by their symbols."""
    return {QUANTITIES[name].symbol: value for name, value in values.items()}
