"""One column of a table whose rows are kept in a dictionary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

Row = TypeVar("Row")
Cell = TypeVar("Cell")


class Column(Mapping[str, Cell], Generic[Row, Cell]):
    """A cell of every row by the row's id, read when asked: a new row shows in it.

    Args:
        rows: the table.
        cell: a row's cell.
    """

    def __init__(self, rows: Mapping[str, Row], cell: Callable[[Row], Cell]) -> None:
        self._rows, self._cell = rows, cell

    def __getitem__(self, key: str) -> Cell:
        return self._cell(self._rows[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
