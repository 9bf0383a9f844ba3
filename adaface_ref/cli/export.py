"""The command that writes the spec in other languages."""

from __future__ import annotations

from pathlib import Path

import click

from adaface_ref.cli.options import FILE
from adaface_ref.ports.export.languages import LANGUAGES

HELP = f"""\
Write the spec as source: {", ".join(LANGUAGES[:-1])} or {LANGUAGES[-1]}.

Logit, slope, probability, GST, and logit and GST of another class, of every loss
and profile, in stable form; and, but for FPCore, a port to be judged by `port`.

\b
Example:
  adaface-ref export c out && cc -O2 -o out/port out/*.c -lm
  adaface-ref port -- out/port
  adaface-ref export javascript out && adaface-ref port -- node out/port.js
  adaface-ref export rust out && rustc -O -o out/port out/port.rs
"""


@click.command("export", help=HELP)
@click.argument("language")
@click.argument("folder", metavar="DIR", type=FILE)
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="P",
    help="A further profile, such as clip:cosine=0.0001,angle=0.0001; may be repeated.",
)
def export_command(language: str, folder: Path, profiles: tuple[str, ...]) -> None:
    """Write the spec in another language."""
    from adaface_ref.ports.export.export import export

    for path in export(language, folder, profiles):
        click.echo(f"wrote {path}")
