"""The command line: reads options, calls, prints. Nothing is decided here.

Exit codes: 0 all as it should be, 1 a violation, 2 usage, 3 could not be judged.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

EFFORTS = click.Choice(["quick", "normal", "thorough"])
SECTIONS = click.Choice(["losses", "profiles", "quantities", "checks", "invariants"])

Progress = Callable[[str, float], None]


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


@cli.command("verify")
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="F")
@click.option("--device", default="cpu", show_default=True, help="Where torch runs.")
@click.option("--effort", type=EFFORTS, default="normal", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
def verify_command(json_file: Path | None, device: str, effort: str, seed: int) -> None:
    """Compare the three forms, then judge the three stated invariants.

    Efforts compare about 10^5, 10^6 and 10^7 values. Exits 1 if a form disagrees or a
    verdict is not the expected one.

    \b
    Example:
      adaface-ref verify --effort quick --json verify.json
    """
    from adaface_ref.evidence.verify import as_json, verify
    from adaface_ref.tables import print_verification

    check_device(device)
    with writable(json_file), shown_progress() as progress:
        result = verify(seed=seed, effort=effort, device=device, progress=progress)
    print_verification(result)
    write_json(json_file, as_json(result))
    sys.exit(0 if result.is_as_it_should_be else 1)


@cli.command("evaluate")
@click.option("--loss", required=True, metavar="NAME")
@click.option("--at", "where", required=True, metavar="POINT")
@click.option("--profile", multiple=True, metavar="P", help="Default: all defined.")
def evaluate_command(loss: str, where: str, profile: tuple[str, ...]) -> None:
    """Print every quantity at one point: decimal, hexadecimal, certified enclosure.

    POINT is name=value pairs. Parameters that are not given take their recommended
    values, the rival cosine 0.5 and the margin scaler 0.

    \b
    Example:
      adaface-ref evaluate --loss adaface --at "target_cosine=0.99, margin_scaler=1"
    """
    from adaface_ref.evidence.point import defined_profiles, parse_point
    from adaface_ref.tables import print_point

    profiles = defined_profiles(loss, profile)
    point = parse_point(where, loss)
    print_point(loss, profiles, point)


@cli.command("list")
@click.argument("section", type=SECTIONS, required=False)
def list_command(section: str | None) -> None:
    """List losses, profiles, quantities, checks and invariants.

    \b
    Example:
      adaface-ref list losses
    """
    from adaface_ref.tables import LISTS

    for name, show in LISTS.items():
        if section in (None, name):
            show()


@cli.command("gate")
@click.argument("target")
@click.option("--loss", required=True, metavar="NAME")
@click.option("--profile", default="auto", show_default=True, metavar="P")
@click.option("--adapter", metavar="NAME", help="How to call it, if not recognised.")
@click.option("--arg", "arguments", multiple=True, metavar="NAME=VALUE")
@click.option("--device", default="cpu", show_default=True)
@click.option("--dtype", "dtypes", multiple=True, default=("float32", "float64"))
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--effort", type=EFFORTS, default="normal", show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="F")
def gate_command(
    target: str,
    loss: str,
    profile: str,
    adapter: str | None,
    arguments: tuple[str, ...],
    device: str,
    dtypes: tuple[str, ...],
    seed: int,
    effort: str,
    json_file: Path | None,
) -> None:
    """Judge a loss head: package.module:name or path/file.py:name.

    Exits 0 if it conforms, 1 if not, 3 if it could not be judged.

    \b
    Example:
      adaface-ref gate pytorch_metric_learning.losses:ArcFaceLoss --loss arcface
      adaface-ref gate heads.py:my_head --loss adaface --arg scale=30
    """
    from adaface_ref.gate.arguments import parse_arguments
    from adaface_ref.gate.runner import run_gate

    with writable(json_file), shown_progress() as progress:
        report = run_gate(
            target,
            loss=loss,
            profile=profile,
            adapter=adapter,
            device=device,
            dtypes=dtypes,
            seed=seed,
            effort=effort,
            arguments=parse_arguments(arguments),
            progress=progress,
        )
    click.echo(report.text(width=80))
    write_json(json_file, report.as_json())
    sys.exit(report.exit_code)


@contextlib.contextmanager
def shown_progress() -> Iterator[Progress]:
    """A bar on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _what, _share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(24), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def advance(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)

        yield advance


@contextlib.contextmanager
def writable(path: Path | None) -> Iterator[None]:
    """Finds out before the work, not after it, that a file cannot be written."""
    if path is not None:
        try:
            path.open("a", encoding="utf-8").close()
        except OSError as error:
            must = "a file that can be written"
            raise click.UsageError(
                f"--json={path}, but must be {must}: {error.strerror}"
            ) from None
    yield


def write_json(path: Path | None, data: dict[str, Any]) -> None:
    """Writes a result where one was asked for."""
    if path is not None:
        path.write_text(
            json.dumps(data, indent=2, allow_nan=False) + "\n", encoding="utf-8"
        )


def check_device(device: str) -> None:
    """Refuses a device that this torch cannot use, in one line."""
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        must = "a device that this torch can use, such as cpu"
        raise click.UsageError(f"--device={device}, but must be {must}") from None


def main() -> None:
    """Runs the command line; a user's mistake is one line and exit code 2."""
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
        from adaface_ref.errors import DomainError, ShapeError

        if not isinstance(error, (DomainError, ShapeError)):
            raise
        fail(str(error))


def fail(message: str) -> None:
    """One line on standard error, and exit code 2."""
    line = " ".join(message.split())
    click.echo(f"adaface-ref: {line}", err=True)
    sys.exit(2)
