from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Add, Expr, Integer, Mul, Pow, Rational, S, sqrt

from adaface_ref.compiler import SINE_OF_FLOATS, angle_of, from_cosine
from adaface_ref.evidence.sweep.error_nodes import (
    LIBRARY,
    SECOND_ORDER,
    Inputs,
    Node,
    constant_node,
    number_node,
    widen,
)
from adaface_ref.evidence.sweep.function_bounds import FUNCTIONS, square_root
from adaface_ref.evidence.sweep.writer import Writer
from adaface_ref.spec.symbols import QUANTITIES, target_cosine


class NoBound(TypeError):  # noqa: N818
    """An expression whose error is not known: what it says cannot be swept."""


@dataclass
class Program(Writer):
    """Straight-line code with an error bound, from trees.

    Args:
        inputs: which cosines will be given.
        values: every other input, by its symbol.
        known: the nodes of trees.
    """

    inputs: Inputs = field(kw_only=True)
    values: Mapping[Expr, Expr] = field(kw_only=True)
    known: dict[Expr, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        low, high, tiny = self.inputs
        most = max(abs(low), abs(high))
        self.known[target_cosine] = Node("cosine", 0.0, low, high, tiny, most)

    def node_of(self, expression: Expr) -> Node:
        """The node of an expression in the angle or in the target cosine."""
        fixed = expression.xreplace(dict(self.values))
        return self._node(from_cosine(fixed, SINE_OF_FLOATS))

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
        if type(tree) in FUNCTIONS and tree.func is not angle_of:
            return FUNCTIONS[type(tree)](self, self._node(tree.args[0]))
        if tree == angle_of(target_cosine):
            return self._angle()
        raise NoBound(f"{tree}, but no error bound is known for it [running_error]")

    def _sum(self, tree: Add) -> Node:
        fixed, moving = tree.as_independent(target_cosine, as_Add=True)
        terms = [*Add.make_args(moving), *([fixed] if fixed is not S.Zero else [])]
        terms.sort(key=lambda term: bool(term.could_extract_minus_sign()))
        first, *rest = terms
        node = self._node(first)
        for term in rest:
            negative = bool(term.could_extract_minus_sign())
            node = self.add(node, self._node(-term if negative else term), negative)
        return node

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
            node = self.multiply(node, self._node(factor))
        for factor in below:
            node = self.divide(node, self._node(1 / factor))
        return node

    def _power(self, base: Expr, exponent: Expr) -> Node:
        if exponent.is_Rational and exponent < 0:
            return self.divide(number_node(1.0, 0.0), self._node(base**-exponent))
        if exponent == Rational(1, 2):
            return square_root(self, self._node(base))
        if exponent.is_Rational and exponent.q == 2:
            root, odd = self._node(sqrt(base)), int(exponent.p)
            return self.raise_to(root, odd)
        if isinstance(exponent, Integer):
            return self.raise_to(self._node(base), int(exponent))
        raise NoBound(
            f"{base**exponent}, but powers must be halves of integers [running_error]"
        )

    def _angle(self) -> Node:
        """The sine's relative error is at most as great relative to the angle."""
        sine, cosine = self._node(SINE_OF_FLOATS), self.known[target_cosine]
        value = self.assign(f"atan2({sine.value}, {cosine.value})")
        low, high = widen(math.acos(cosine.high), math.acos(cosine.low))
        factor = sine.factor * SECOND_ORDER + LIBRARY
        return Node(value, factor, low, high, low, high)


def values_by_symbol(values: Mapping[str, Expr]) -> dict[Expr, Expr]:
    """Inputs by their symbols."""
    return {QUANTITIES[name].symbol: value for name, value in values.items()}
