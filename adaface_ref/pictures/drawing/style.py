"""How pictures look, and how they are written: the same bytes for the same picture."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

Look = dict[str, Any]
"""Properties of something drawn, by Matplotlib's names."""

COLUMN = 3.4
"""Inches: one column of a paper of two."""

PAGE = 7.0
"""Inches: both columns."""

LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00")
"""Okabe and Ito's colours without the yellow, which is too light for a line."""

DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))
"""One a profile."""

COLOURS = "YlOrRd"
"""Magnitudes: lightness falls throughout, so that grey paper keeps the order."""

SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "svg.hashsalt": "adaface-ref",
    "pdf.fonttype": 42,
}

UNDATED: dict[str, Look] = {
    ".png": {},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}
"""The endings that can be written, each without the time of day."""


@contextmanager
def use_style() -> Iterator[None]:
    """Matplotlib's own defaults with ours; a user's matplotlibrc counts for nothing."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        yield


def as_bytes(figure: Figure, ending: str, dpi: int = 220) -> bytes:
    """A figure in the format of an ending.

    Args:
        figure: made under `styled`.
        ending: a key of UNDATED.
        dpi: dots an inch, of what is drawn as dots.

    Returns:
        The file's content.
    """
    content = io.BytesIO()
    with use_style():
        figure.savefig(content, format=ending[1:], dpi=dpi, metadata=UNDATED[ending])
    return content.getvalue()
