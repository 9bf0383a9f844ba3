"""A SymPy tree of the spec, compiled once to scalars, arrays or balls.

Trees are written in the angle; compiled functions take the target cosine. cos(theta)
becomes the cosine itself, sin(theta) the square root of (1 - c)(1 + c), and the sum in
sin(theta + a) is expanded, so that acos is needed only where a multiple of the angle
stands. The compiler walks the tree and writes one assignment a distinct node; it knows
the node types below and refuses any other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sympy import (
    Add,
    Dummy,
    E,
    Expr,
    Function,
    Integer,
    Mul,
    Pow,
    Rational,
    cos,
    exp,
    expand_trig,
    pi,
    sin,
    sqrt,
)

from adaface_ref.spec.symbols import QUANTITIES, angle, target_cosine

angle_of = Function("angle_of")
"""acos, as each backend does it best."""

Compiled = Callable[..., Any]


def _quotient(p: int, q: int) -> float:
    """p/q, and infinity where no float holds it."""
    try:
        return p / q
    except OverflowError:
        return math.inf if p > 0 else -math.inf


def _np_logistic(x: Any) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1 + small)


Backend = Mapping[str, Any]
"""What each function of a compiled tree is."""

NUMPY: Backend = {
    "sin": np.sin,
    "cos": np.cos,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "Abs": np.abs,
    "sign": np.sign,
    "logistic": _np_logistic,
    "log_logistic": lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))),
    "angle_of": lambda c: np.arctan2(np.sqrt((1 - c) * (1 + c)), c),
    "acos": np.arccos,
    "pi": lambda: np.pi,
    "rational": _quotient,
}


def from_cosine(expression: Expr, sine: Expr) -> Expr:
    """Writes an expression in the angle as one in the target cosine.

    Args:
        expression: a tree of the spec.
        sine: the angle's sine in the target cosine.

    Returns:
        The same without the angle; acos stays as `angle_of` where it must.
    """
    sums = {
        node: _OF_A_SUM[type(node)].xreplace({_REST: node.args[0] - angle})
        for node in expression.atoms(sin, cos)
        if isinstance(node.args[0], Add) and angle in node.args[0].args
    }
    meaning = {
        cos(angle): target_cosine,
        sin(angle): sine,
        angle: angle_of(target_cosine),
    }
    return expression.xreplace(sums).xreplace(meaning)


_REST = Dummy("rest")
_OF_A_SUM = {function: expand_trig(function(angle + _REST)) for function in (sin, cos)}

SINE_OF_FLOATS = sqrt((1 - target_cosine) * (1 + target_cosine))
SINE_OF_BALLS = sqrt(1 - target_cosine**2)
"""One operation less: the square of a float64 is exact in a ball of 128 bits."""


@dataclass
class _Program:
    """Straight-line code for a tree, one assignment a distinct node."""

    backend: Backend
    lines: list[str] = field(default_factory=list)
    known: dict[Expr, str] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)

    def name_of(self, node: Expr) -> str:
        if node not in self.known:
            code = self._code(node)
            self.known[node] = code if code.isidentifier() else self._assign(code)
        return self.known[node]

    def _assign(self, code: str) -> str:
        self.lines.append(f"v{len(self.lines)} = {code}")
        return f"v{len(self.lines) - 1}"

    def _code(self, node: Expr) -> str:
        if isinstance(node, Integer):
            return self._integer(int(node))
        if isinstance(node, Rational):
            return f"rational({int(node.p)}, {int(node.q)})"
        if node is pi:
            return "pi()"
        if node is E:
            return self._call(exp(1, evaluate=False))
        if isinstance(node, Add):
            return self._sum(node)
        if isinstance(node, Mul):
            return self._product(node)
        if isinstance(node, Pow):
            return self._power(node)
        return self._call(node)

    def _integer(self, value: int) -> str:
        if "integer" not in self.backend:
            return f"{value}" if abs(value) < 2**1023 else f"rational({value}, 1)"
        name = f"k{value}".replace("-", "_")
        self.constants[name] = self.backend["integer"](value)
        return name

    def _sum(self, node: Expr) -> str:
        terms = sorted(node.args, key=lambda term: term.could_extract_minus_sign())
        code = self.name_of(terms[0])
        for term in terms[1:]:
            negative = term.could_extract_minus_sign()
            part = self.name_of(-term if negative else term)
            code = f"{code} {'-' if negative else '+'} {part}"
        return code

    def _product(self, node: Expr) -> str:
        if node.could_extract_minus_sign():
            return f"-{self.name_of(-node)}"
        below = [f for f in node.args if isinstance(f, Pow) and f.exp.is_negative]
        above = [factor for factor in node.args if factor not in below]
        code = " * ".join(self.name_of(factor) for factor in above) or "1"
        for factor in below:
            code += f" / {self.name_of(1 / factor)}"
        return code

    def _power(self, node: Expr) -> str:
        base, exponent = node.args
        if exponent == Rational(1, 2):
            return f"sqrt({self._argument(base)})"
        if exponent == 2:
            return f"{self.name_of(base)} * {self.name_of(base)}"
        if exponent.is_Rational and exponent < 0:
            return f"1 / {self.name_of(base**-exponent)}"
        if isinstance(exponent, Integer):
            return f"{self.name_of(base)} ** {int(exponent)}"
        if isinstance(exponent, Rational) and exponent.q in (2, 4):
            # The sine is a root of the cosine, and so its roots are fourth roots.
            root = self.name_of(base ** Rational(1, int(exponent.q) // 2))
            return f"{self._assign(f'sqrt({root})')} ** {int(exponent.p)}"
        raise TypeError(f"{node}, but powers must be halves of integers [evaluate]")

    def _argument(self, node: Expr) -> str:
        """What a function is called with: a method of balls crashes on a fraction."""
        code = self.name_of(node)
        if node.is_Rational and "ball" in self.backend:
            return self._assign(f"ball({code})")
        return code

    def _call(self, node: Expr) -> str:
        function = type(node).__name__
        negative = bool(node.args) and node.args[0].could_extract_minus_sign()
        if function == "logistic" and negative and "complement" in self.backend:
            return f"complement({self._argument(-node.args[0])})"
        argument = self._argument(node.args[0]) if len(node.args) == 1 else ""
        if function in ("sin", "cos") and "sin_cos" in self.backend:
            pair = self._assign(f"sin_cos({argument})")
            other = cos if function == "sin" else sin
            index = 0 if function == "sin" else 1
            self.known[other(node.args[0])] = self._assign(f"{pair}[{1 - index}]")
            return f"{pair}[{index}]"
        if function not in self.backend or not argument:
            raise TypeError(f"{node}, but no backend knows {function} [evaluate]")
        return f"{function}({argument})"


def compile_tree(
    expressions: Sequence[Expr], arguments: Sequence[str], backend: Backend
) -> Compiled:
    """Compiles trees of the spec to one function of scalars, arrays or balls.

    Args:
        expressions: trees in the angle or in the target cosine.
        arguments: names of the quantities, in the order of the function's arguments;
            trees stay in the angle if it is among them.
        backend: what each of its functions is, as in NUMPY.

    Returns:
        A function that returns the tuple of their values.

    Raises:
        TypeError: for a node that no backend knows.
    """
    program = _Program(backend)
    for position, name in enumerate(arguments):
        program.known[QUANTITIES[name].symbol] = f"a{position}"
    sine = SINE_OF_BALLS if "ball" in backend else SINE_OF_FLOATS
    if angle.name not in arguments:
        expressions = [from_cosine(tree, sine) for tree in expressions]
    results = [program.name_of(tree) for tree in expressions]
    head = ", ".join(f"a{position}" for position in range(len(arguments)))
    body = "\n    ".join(
        [*program.lines, f"return ({''.join(r + ', ' for r in results)})"]
    )
    scope: dict[str, Any] = {**backend, **program.constants}
    exec(compile(f"def compiled({head}):\n    {body}\n", "<spec>", "exec"), scope)
    function: Compiled = scope["compiled"]
    return function
