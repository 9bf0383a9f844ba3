"""The command line: reads options, calls, prints. Nothing is decided here.

Exit codes: 0 all as it should be, 1 a violation, 2 usage, 3 could not be judged.
"""

from __future__ import annotations

import contextvars
import io
import sys
from importlib.metadata import version
from typing import NoReturn

import click

from adaface_ref.cli import evidence, explore, export, gate, plot, port, vectors


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80}
)
@click.version_option(version("adaface-ref"), prog_name="adaface-ref")
def cli() -> None:
    """The truth about the gradient of margin-softmax losses, and who departs from it.

    \b
    Example:
      adaface-ref verify
      adaface-ref gate pytorch_metric_learning.losses:CosFaceLoss --loss cosface
    """


for command in (
    evidence.verify_command,
    evidence.evaluate_command,
    evidence.list_command,
    evidence.claims_command,
    evidence.refute_command,
    gate.gate_command,
    gate.replay_command,
    explore.explore_command,
    port.port_command,
    export.export_command,
    vectors.vectors_command,
    plot.plot_command,
):
    cli.add_command(command)


EXTRAS = {"matplotlib": "plot", "contourpy": "plot"}
"""Packages that some commands need, and the extra that brings each."""


def main() -> None:
    """Runs the command line; a user's mistake is one line and exit code 2."""
    # Where a command says that faults are kept, is forgotten after it.
    contextvars.copy_context().run(_main)


def _main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a terminal cannot show costs that character, not the verdict.
            stream.reconfigure(errors="backslashreplace")
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        fail(error.format_message())
    except ValueError as error:
        if not is_users(error):
            crash(error)
        fail(str(error))
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package not in EXTRAS:
            crash(error)
        extra = f"pip install 'adaface-ref[{EXTRAS[package]}]'"
        fail(f"{package} is not installed, which this needs: {extra}")
    except Exception as error:
        crash(error)


def is_users(error: ValueError) -> bool:
    """Whether a user's input is to blame, and the error's text is for the user."""
    from adaface_ref.errors import DomainError, ShapeError
    from adaface_ref.spec.language.tokens import ClaimError

    return isinstance(error, (DomainError, ShapeError, ClaimError))


def crash(error: Exception) -> NoReturn:
    """A fault of ours: one line on standard error, and exit code 3."""
    from adaface_ref.report.our_faults import explain_as_ours

    words = "adaface-ref: internal error, nothing was judged"
    click.echo(f"{words}: {explain_as_ours(error)}", err=True)
    sys.exit(3)


def fail(message: str) -> NoReturn:
    """One line on standard error, and exit code 2."""
    line = " ".join(message.split())
    click.echo(f"adaface-ref: {line}", err=True)
    sys.exit(2)
