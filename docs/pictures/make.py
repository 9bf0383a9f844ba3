"""Draws the README's pictures: python docs/pictures/make.py [FOLDER]."""

from __future__ import annotations

import sys
from pathlib import Path

from adaface_ref.cli import cli

BOTH = ("--profile", "pure", "--profile", "clip")

COMMANDS = (
    ("arcs", "-o", "arcs.png", "--dpi", "160"),
    ("curves", "-o", "curves.png", "--dpi", "200", *BOTH),
)
"""The pictures, each as the arguments of `adaface-ref plot`."""


def make(folder: Path) -> None:
    """Draws every picture.

    Args:
        folder: where to; it must exist.
    """
    for kind, option, name, *rest in COMMANDS:
        arguments = ["plot", kind, option, str(folder / name), *rest]
        cli.main(arguments, standalone_mode=False)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
