"""|g| over the target's and the rival's cosine: what is drawn, without drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adaface_ref.errors import domain_error
from adaface_ref.pictures.contours import zero_lines
from adaface_ref.pictures.heads import WHERE, Floats, Head
from adaface_ref.pictures.marks import Marks, marks_of

MOST = 6
"""Maps in one picture."""

_CELLS = 240
JUMP = 0.2


@dataclass(frozen=True)
class Map:
    """One head's |g|.

    Args:
        head: whose.
        title: what the picture calls it.
        targets: edges of cells, target cosines.
        rivals: edges of cells, the rival's cosines j.
        magnitudes: |g| in the middle of each cell, (rivals - 1, targets - 1).
        boundary: B1, as target cosines and rivals with NaN between lines.
        levels: the j at which other marks were looked for.
        marks: at each of them.
    """

    head: Head
    title: str
    targets: Floats
    rivals: Floats
    magnitudes: Floats
    boundary: tuple[Floats, Floats]
    levels: Floats
    marks: tuple[Marks, ...]

    def places(self, kind: str) -> tuple[Floats, Floats]:
        """Where a kind of mark lies in the plane, as lines.

        Args:
            kind: a field of Marks that holds cosines.

        Returns:
            (target cosines, rival's cosines): the first mark of every level, the
            second, and so on, with NaN where one jumps by more than JUMP.
        """
        if kind == "margined":
            return self.boundary
        rows: list[tuple[float, ...]] = [getattr(marks, kind) for marks in self.marks]
        found: list[tuple[float, float]] = []
        for turn in range(max(map(len, rows))):
            for j, row in zip(self.levels.tolist(), rows, strict=True):
                here = row[turn] if turn < len(row) else np.nan
                jumps = bool(found) and abs(here - found[-1][0]) > JUMP
                found += [(np.nan, j)] if jumps else []
                found.append((here, j))
            found.append((np.nan, np.nan))
        pairs = np.asarray(found, float).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]


def maps_of(heads: Sequence[Head], levels: int = 61) -> list[Map]:
    """A map of every head, over all target cosines and a rival at [-1, 1].

    Args:
        heads: at most MOST.
        levels: how many rivals marks are looked for at.

    Returns:
        One map a head.

    Raises:
        DomainError: for more heads.
    """
    if len(heads) > MOST:
        raise domain_error("maps", len(heads), f"at most {MOST}", WHERE)
    return [_map(head, levels) for head in heads]


def _map(head: Head, count: int) -> Map:
    edges = np.linspace(-1.0, 1.0, _CELLS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    levels = np.linspace(-1.0, 1.0, count)
    return Map(
        head,
        f"{head.title} · {head.profile}",
        edges,
        edges,
        head.measure("abs-gst", middles[None, :], middles[:, None]),
        zero_lines(head.excess, edges, edges),
        levels,
        tuple(marks_of(head, float(j)) for j in levels),
    )


def top_of_scale(cells: Floats, share: float) -> float:
    """The value at which a colour scale ends.

    Args:
        cells: what is coloured; only finite values count.
        share: the share of the cells that the colours resolve; |g| has no largest
            value.

    Returns:
        What that share does not exceed, rounded up to a multiple of 10, or of the power
        of ten below it; 1 if nothing is above 0.
    """
    finite = cells[np.isfinite(cells)]
    top = float(np.quantile(finite, share)) if finite.size else 0.0
    if not top > 0:
        return 1.0
    step = min(10.0, 10.0 ** np.floor(np.log10(top)))
    return float(np.ceil(top / step) * step)
