"""The command that judges a port in another language."""

from __future__ import annotations

import sys
from typing import Any

import click

from adaface_ref.cli.options import EFFORT, SEED, Limit, show_progress
from adaface_ref.cli.report_options import report_options, wishes_from


@click.command("port")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--loss", "losses", multiple=True, metavar="NAME", help="Only this one.")
@click.option(
    "--profile", "profiles", multiple=True, metavar="P", help="Only this one."
)
@click.option("--dtype", "dtypes", multiple=True, metavar="T", help="Only this one.")
@click.option("--seed", type=SEED, default=0, help="Draws the points (0).")
@click.option(
    "--effort",
    type=EFFORT,
    default="quick",
    help="10^5, 10^6 or 10^7 points a check (quick).",
)
@click.option(
    "--time-limit",
    type=Limit(),
    default=30.0,
    metavar="SECONDS",
    help="For one request and its answer; a port that takes longer counts as hanging "
    "(30).",
)
@click.option(
    "--stable",
    is_flag=True,
    help="Allow only what a stable form loses, not what acos, cos and P - 1 lose.",
)
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@report_options
def port_command(command: tuple[str, ...], explain: str | None, **options: Any) -> None:
    """Judge a port: any program that speaks the line protocol of docs/ports.md.

    COMMAND is started once, is asked about every loss and profile that it announces,
    and must answer on its standard output. --loss, --profile and --dtype may be
    repeated. Exits 0 if all conforms, 1 if not, 3 if the port crashed, hung, or did not
    answer as the protocol says.

    \b
    Example:
      adaface-ref port -- ./port
      adaface-ref port --loss adaface --effort normal -- node port.js
      adaface-ref port --explain one-by-one
    """
    if explain is not None:
        from adaface_ref.report import catalogue

        click.echo(catalogue.explain(explain, catalogue.PORTS))
        return
    if not command:
        raise click.UsageError("Missing argument 'COMMAND...'.")
    from adaface_ref.ports import commands
    from adaface_ref.ports.harness import Wish

    wish = Wish(
        losses=options["losses"],
        profiles=options["profiles"],
        dtypes=options["dtypes"],
        seed=options["seed"],
        effort=options["effort"],
        limit=options["time_limit"],
        strict=options["strict"],
        stable=options["stable"],
    )
    wishes = wishes_from(options, baseline=options["baseline"], one=False)
    with show_progress() as progress:
        code, texts = commands.judge_command(command, wish, wishes, progress)
    for text in texts:
        click.echo(text)
    sys.exit(code)
