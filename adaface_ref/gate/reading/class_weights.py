"""Where a head keeps its class weights: found, set and read in whatever layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from adaface_ref.numpy_reference.arguments import Array

Order = Callable[[torch.Tensor, int, int], torch.Tensor]


@dataclass(frozen=True)
class Layout:
    """How class vectors (K, C, D) lie in a parameter, or in several.

    Args:
        words: for the report, such as "(C, D)".
        names: of the parameters.
        centres: K.
        order: a view (K, C, D) of the parameter, or of the numbers of several in a row.
    """

    words: str
    names: tuple[str, ...]
    centres: int
    order: Order

    def tensors(self, head: torch.nn.Module) -> list[torch.nn.Parameter]:
        """The parameters of a head."""
        found = dict(head.named_parameters())
        return [found[name] for name in self.names]

    def read(self, head: torch.nn.Module, classes: int, size: int) -> Array:
        """The class vectors (K, C, D) of a head, in float64."""
        return self.arranged([t.detach() for t in self.tensors(head)], classes, size)

    def arranged(self, parts: Sequence[torch.Tensor], classes: int, size: int) -> Array:
        """Tensors of the parameters' shapes as (K, C, D), in float64."""
        table = self.order(_in_a_row(parts), classes, size)
        return np.asarray(table.to("cpu", torch.float64).numpy())

    def index_of(
        self, head: torch.nn.Module, place: tuple[int, ...], classes: int, size: int
    ) -> tuple[str, tuple[int, ...]]:
        """Where an entry (k, j, d) of the class vectors is kept.

        Args:
            head: the head.
            place: the entry's centre, class and place in the vector.
            classes: C.
            size: D.

        Returns:
            The parameter's name, and the index in it.
        """
        parts, start = self.tensors(head), 0
        numbered = []
        for part in parts:
            end = start + part.numel()
            numbered.append(torch.arange(start, end).reshape(part.shape).double())
            start = end
        number = int(self.arranged(numbered, classes, size)[place])
        for name, part in zip(self.names, parts, strict=True):
            if number < part.numel():
                index = np.unravel_index(number, tuple(part.shape))
                return name, tuple(int(i) for i in index)
            number -= part.numel()
        raise IndexError(place)

    def write(self, head: torch.nn.Module, weights: Array) -> None:
        """Put class vectors (K, C, D) into a head."""
        parts = self.tensors(head)
        _, classes, size = weights.shape
        with torch.no_grad():
            target = _in_a_row(parts).clone()
            made = torch.tensor(weights, dtype=target.dtype, device=target.device)
            self.order(target, classes, size).copy_(made)
            pieces = target.reshape(-1).split([part.numel() for part in parts])
            for part, values in zip(parts, pieces, strict=True):
                part.copy_(values.view_as(part))


def _in_a_row(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """One tensor as it is; the numbers of several as one vector."""
    return parts[0] if len(parts) == 1 else torch.cat([p.reshape(-1) for p in parts])


def layouts(head: torch.nn.Module, classes: int, size: int) -> list[Layout]:
    """The layouts that a head's parameters allow, the plainest first.

    Args:
        head: built for `classes` and `size`, which differ.
        classes: C.
        size: D.

    Returns:
        Several where the shape leaves open which of K C vectors belong together.
    """
    found = [row for name, p in head.named_parameters()
             for row in _of_shape(name, tuple(p.shape), classes, size)]  # fmt: skip
    return found or list(_of_several(head, classes, size))


def layouts_of_any_size(
    head: object, classes: int, size: int
) -> list[tuple[Layout, int]]:
    """Layouts of a head that may have a size of its own.

    Args:
        head: a head; one that is no module has no weights.
        classes: C.
        size: the D that it was asked to have.

    Returns:
        Layouts with their D: of D as asked, else of any parameter that has C vectors.
    """
    if not isinstance(head, torch.nn.Module):
        return []
    found = [(layout, size) for layout in layouts(head, classes, size)]
    if found:
        return found
    own = {
        max(plain)
        for parameter in head.parameters()
        if len(plain := [n for n in parameter.shape if n != 1]) == 2
        and min(plain) == classes < max(plain)
    }
    return [(layout, d) for d in own for layout in layouts(head, classes, d)]


class _Kind(NamedTuple):
    """A layout before it is found: the axes of the parameter, and how they are read."""

    words: str
    axes: tuple[str, ...]
    order: Order


KINDS = (
    _Kind("(C, D)", ("C", "D"), lambda t, c, d: t.view(1, c, d)),
    _Kind("(D, C)", ("D", "C"), lambda t, c, d: t.view(d, c).t().unsqueeze(0)),
    _Kind("(C K, D)", ("CK", "D"), lambda t, c, d: t.view(c, -1, d).transpose(0, 1)),
    _Kind("(K C, D)", ("CK", "D"), lambda t, c, d: t.view(-1, c, d)),
    _Kind("(D, C K)", ("D", "CK"), lambda t, c, d: t.view(d, c, -1).permute(2, 1, 0)),
    _Kind("(D, K C)", ("D", "CK"), lambda t, c, d: t.view(d, -1, c).permute(1, 2, 0)),
    _Kind("(K, C, D)", ("K", "C", "D"), lambda t, c, d: t.view(-1, c, d)),
    _Kind("(C, K, D)", ("C", "K", "D"),
          lambda t, c, d: t.view(c, -1, d).transpose(0, 1)),
    _Kind("(K, D, C)", ("K", "D", "C"),
          lambda t, c, d: t.view(-1, d, c).transpose(1, 2)),
    _Kind("(D, C, K)", ("D", "C", "K"),
          lambda t, c, d: t.view(d, c, -1).permute(2, 1, 0)),
    _Kind("(D, K, C)", ("D", "K", "C"),
          lambda t, c, d: t.view(d, -1, c).permute(1, 2, 0)),
    _Kind("(C, D, K)", ("C", "D", "K"),
          lambda t, c, d: t.view(c, d, -1).permute(2, 0, 1)),
)  # fmt: skip
"""The layouts that are known, the plainest first."""


def _of_shape(
    name: str, shape: tuple[int, ...], classes: int, size: int
) -> Iterator[Layout]:
    plain = tuple(length for length in shape if length != 1)
    for kind in KINDS:
        centres = _centres(kind, plain, classes, size)
        if centres:
            yield Layout(kind.words, (name,), centres, kind.order)


def _centres(kind: _Kind, shape: tuple[int, ...], classes: int, size: int) -> int:
    """K, or 0 where a shape is not of the kind."""
    if len(shape) != len(kind.axes):
        return 0
    centres = 1
    for axis, length in zip(kind.axes, shape, strict=True):
        if axis == "K":
            centres = length
        elif axis == "CK":
            centres, rest = divmod(length, classes)
            if rest or centres < 2:
                return 0
        elif length != {"C": classes, "D": size}[axis]:
            return 0
    return centres


def _of_several(head: torch.nn.Module, classes: int, size: int) -> Iterator[Layout]:
    """Parameters that hold one class vector each, or blocks of them, C together."""
    names, count = [], 0
    for name, parameter in head.named_parameters():
        rows, rest = divmod(parameter.numel(), size)
        if not rest and (rows == 0 or parameter.squeeze().shape[-1:] == (size,)):
            names.append(name)
            count += rows
    if count == classes and len(names) > 1:
        yield Layout("(C, D) in several parts", tuple(names), 1,
                     lambda t, c, d: t.view(1, c, d))  # fmt: skip
