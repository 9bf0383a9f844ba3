"""The console, and tables without lines."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text


def open_console() -> Console:
    """A console of 80 columns where it is no terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=80)
    return console


def make_table(title: str, *columns: str) -> Table:
    """A table without lines, its columns as wide as they must be."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def add_row(table: Table, *cells: str) -> None:
    """Add a row as it is: a bracket in it is no markup."""
    table.add_row(*(Text(cell) for cell in cells))
