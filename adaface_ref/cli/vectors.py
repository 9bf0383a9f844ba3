"""The command that writes test vectors."""

from __future__ import annotations

from pathlib import Path

import click

from adaface_ref.cli.options import FILE

TIERS = ("smoke", "full", "hard")


@click.command("vectors")
@click.argument("folder", metavar="DIR", type=FILE)
@click.option(
    "--tier",
    "tiers",
    multiple=True,
    type=click.Choice(TIERS),
    help="Only this one; may be repeated.",
)
def vectors_command(folder: Path, tiers: tuple[str, ...]) -> None:
    """Write test vectors: inputs, certified values, allowed errors, as JSON.

    smoke is the smallest set found that catches every known fault that values can
    show, full holds every loss, profile and quantity, hard the places where
    implementations go wrong.
    The same version writes the same bytes.

    \b
    Example:
      adaface-ref vectors out
      adaface-ref vectors out --tier smoke
    """
    from adaface_ref.ports.vectors.tiers import write_vectors

    for path in write_vectors(folder, tiers or TIERS):
        click.echo(f"wrote {path}, {path.stat().st_size} bytes")
