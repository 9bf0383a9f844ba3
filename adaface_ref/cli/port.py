"""The command that judges a port in another language."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from adaface_ref.cli.options import (
    EFFORT,
    FILE,
    JSON_HELP,
    SEED,
    Limit,
    show_progress,
)


@click.command("port")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
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
@click.option(
    "--baseline",
    type=FILE,
    metavar="F",
    help="Accepted findings, as those of gate.",
)
@click.option(
    "--update-baseline",
    is_flag=True,
    help="Write what fails now into the baseline, for 90 days.",
)
@click.option("--reason", default="", metavar="TEXT", help="For new entries.")
@click.option("--json", "json_file", type=FILE, metavar="F", help=JSON_HELP)
@click.option("--junit", "junit_file", type=FILE, metavar="F", help="As JUnit XML.")
@click.option("--sarif", "sarif_file", type=FILE, metavar="F", help="As SARIF 2.1.0.")
@click.option(
    "--github",
    is_flag=True,
    help="Print GitHub's annotations; by default where GITHUB_ACTIONS=true.",
)
@click.option(
    "--findings",
    type=FILE,
    metavar="DIR",
    help="Where findings are kept for replay (.adaface-ref).",
)
@click.option("--verbose", is_flag=True, help="A line for every check.")
def port_command(command: tuple[str, ...], **options: Any) -> None:
    """Judge a port: any program that speaks the line protocol of docs/ports.md.

    COMMAND is started once, is asked about every loss and profile that it announces,
    and must answer on its standard output. --loss, --profile and --dtype may be
    repeated. Exits 0 if all conforms, 1 if not, 3 if the port crashed, hung, or did not
    answer as the protocol says.

    \b
    Example:
      adaface-ref port -- ./port
      adaface-ref port --loss adaface --effort normal -- node port.js
    """
    from adaface_ref.ports import commands
    from adaface_ref.ports.harness import Wish
    from adaface_ref.report import kept_findings
    from adaface_ref.report.our_faults import keep_faults_in
    from adaface_ref.report.outputs import Wishes

    if options["update_baseline"] and options["baseline"] is None:
        raise click.UsageError("--update-baseline: --baseline must be given")
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
    wishes = Wishes(
        json=options["json_file"],
        junit=options["junit_file"],
        sarif=options["sarif_file"],
        baseline=options["baseline"],
        update=options["update_baseline"],
        reason=options["reason"],
        github=options["github"] or os.environ.get("GITHUB_ACTIONS") == "true",
        findings=options["findings"] or kept_findings.FOLDER,
        verbose=options["verbose"],
        one=False,
    )
    keep_faults_in(wishes.findings)
    with show_progress() as progress:
        code, texts = commands.judge_command(command, wish, wishes, progress)
    for text in texts:
        click.echo(text)
    sys.exit(code)
