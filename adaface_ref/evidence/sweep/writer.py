"""Straight-line torch code of values with sizes, and the four operations on them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from adaface_ref.evidence.sweep.error_nodes import (
    COARSE,
    FLOOR,
    SECOND_ORDER,
    SLACK,
    SMALL,
    UNIT,
    WIDER,
    Node,
    corners,
    widen,
)

_NAME = re.compile(r"\bv\d+\b")

_SCOPE: Mapping[str, Any] = {
    "where": torch.where,
    "atan2": torch.atan2,
    "exp": torch.exp,
    "sigmoid": torch.sigmoid,
    "logsigmoid": torch.nn.functional.logsigmoid,
    "inf": math.inf,
    "nan": math.nan,
}


@dataclass
class Writer:
    """Writes code with an error bound, one assignment a distinct node.

    Args:
        coarse: whether sizes are numbers, their greatest ones: half the work, and
            enough where a value is not small for all cosines of its kind.
        names: of what has been assigned, by its code.
    """

    coarse: bool = False
    names: dict[str, str] = field(default_factory=dict)

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

    def assign(self, code: str) -> str:
        """A new name for the value of a piece of code."""
        if code not in self.names:
            self.names[code] = f"v{len(self.names)}"
        return self.names[code]

    def error(self, node: Node) -> str:
        """Code of |truth - value|'s bound."""
        if self.coarse:
            return repr(node.factor * SLACK * node.most)
        return f"{node.factor * SLACK!r} * {self.size(node)}"

    def size(self, node: Node) -> str:
        if self.coarse:
            return repr(node.most)
        if node.size or node.low >= 0:
            return node.size or node.value
        return self.absolute(node)

    def absolute(self, node: Node) -> str:
        if node.number is not None:
            return repr(abs(node.number))
        if node.low >= 0:
            return node.value
        return self.assign(f"{node.value}.abs()")

    def assign_size(self, code: str) -> str:
        """A name for a size; a coarse one is the node's `most` and needs no code."""
        return COARSE if self.coarse else self.assign(code)

    def lift_size(self, node: Node) -> Node:
        """The same, where sizes that may have underflowed are lifted to FLOOR."""
        if node.tiny >= FLOOR:
            return node
        size = self.assign_size(f"{self.size(node)}.clamp(min={FLOOR!r})")
        factor, most = node.factor + UNIT, max(node.most, FLOOR)
        return replace(node, size=size, factor=factor, tiny=FLOOR, most=most)

    def guard_size(self, condition: str, size: str) -> str:
        """A size that is infinite where the bound's condition is not met."""
        return self.assign_size(f"where({condition}, {size}, inf)")

    def make_node(
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
            size = self.assign_size(size)
        return self.lift_size(Node(name, factor, low, high, tiny, most, size))

    def add(self, a: Node, b: Node, negative: bool = False) -> Node:
        value = self.assign(f"{a.value} {'-' if negative else '+'} {b.value}")
        b_low, b_high = (-b.high, -b.low) if negative else (b.low, b.high)
        most, factor = a.most + b.most, max(a.factor, b.factor)
        low, high = widen(a.low + b_low, a.high + b_high, most)
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
            return self.lift_size(Node(value, factor, low, high, tiny, most))
        size = self.assign_size(f"{self.size(a)} + {self.size(b)}")
        return Node(value, factor + UNIT, low, high, tiny, most, size)

    def multiply(self, a: Node, b: Node) -> Node:
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
        return self.make_node(
            value, factor, low, high, a.tiny * b.tiny, a.most * b.most, size
        )

    def divide(self, a: Node, b: Node) -> Node:
        low, high = -math.inf, math.inf
        if b.least > 0 and b.is_finite:
            inverse = replace(b, low=1 / b.high, high=1 / b.low)
            low, high = corners(a, inverse)
        value, tiny = f"{a.value} / {b.value}", a.tiny / b.most
        if b.is_relative and b.is_finite:
            factor = (a.factor + b.factor) / (1 - b.factor) * (1 + UNIT) + UNIT
            size = "" if a.is_relative else f"{self.size(a)} / {self.absolute(b)}"
            most = a.most / b.least * (1 + WIDER) if b.least > 0 else math.inf
            return self.make_node(value, factor, low, high, tiny, most, size)
        most = math.inf
        factor = (a.factor + b.factor) * SECOND_ORDER + UNIT
        below = self.absolute(b)
        ratio = self.assign_size(f"{self.size(b)} / {below}")
        size = f"{self.size(a)} / {below} * {ratio}"
        size = self.guard_size(f"{ratio} * {b.factor!r} < {SMALL!r}", size)
        return self.make_node(value, factor, low, high, tiny, most, size)

    def raise_to(self, base: Node, exponent: int) -> Node:
        if exponent == 1:
            return base
        half = self.raise_to(base, exponent // 2)
        square = self.multiply(half, half)
        return self.multiply(base, square) if exponent % 2 else square
