"""The command that writes the page to play with."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

import click

from adaface_ref.cli.options import FILE, write_html
from adaface_ref.files import require_writable


@click.command("explore")
@click.option(
    "-o",
    "--output",
    type=FILE,
    default=Path("explore.html"),
    show_default=True,
    metavar="FILE",
    help="Where to write the page.",
)
@click.option(
    "--open/--no-open",
    "open_it",
    default=None,
    help="Show it in a browser; by default where there is a terminal and a screen.",
)
def explore_command(output: Path, open_it: bool | None) -> None:
    """Write a page to play with the gradient: one HTML file, no network needed.

    Its sliders set loss, profile, scale, margin, h, z and the rival; curves, the
    feature space, peaks, changes of sign and dead zones follow. A view lives in the
    page's address, so that it can be sent to somebody.

    \b
    Example:
      adaface-ref explore -o page.html
    """
    from adaface_ref.pictures.pages.explore import page

    require_writable({"--output": output})
    write_html(output, page)
    click.echo(f"wrote {output}, {output.stat().st_size / 1e6:.2f} MB")
    wanted = _has_screen() if open_it is None else open_it
    if wanted and not webbrowser.open(output.resolve().as_uri()):
        told = f"no browser was found: open {output} in one"
        if open_it:
            raise click.UsageError(f"--open: {told}")
        click.echo(told, err=True)


def _has_screen() -> bool:
    """Whether a window would be seen by somebody."""
    if not sys.stdout.isatty():
        return False
    shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(shown) or sys.platform in ("darwin", "win32")
