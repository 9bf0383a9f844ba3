"""What `gate` and `port` share: where a report goes, and what is accepted in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from adaface_ref.cli.options import FILE, JSON_HELP

if TYPE_CHECKING:
    from adaface_ref.report.outputs import Wishes

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = (
    click.option(
        "--baseline",
        type=FILE,
        metavar="F",
        help="Accepted findings: each needs a reason and a last day; one that is no "
        "longer found, or past its day, fails.",
    ),
    click.option(
        "--update-baseline",
        is_flag=True,
        help="Write what fails now into the baseline, for 90 days; reasons and days "
        "that are there stay. An entry without a reason fails until one is written.",
    ),
    click.option("--reason", default="", metavar="TEXT", help="For new entries."),
    click.option("--json", "json_file", type=FILE, metavar="F", help=JSON_HELP),
    click.option("--junit", "junit_file", type=FILE, metavar="F", help="As JUnit XML."),
    click.option(
        "--sarif", "sarif_file", type=FILE, metavar="F", help="As SARIF 2.1.0."
    ),
    click.option(
        "--github",
        is_flag=True,
        help="Print GitHub's annotations; by default where GITHUB_ACTIONS=true.",
    ),
    click.option(
        "--findings",
        type=FILE,
        metavar="DIR",
        help="Where findings are kept for replay (.adaface-ref).",
    ),
    click.option("--verbose", is_flag=True, help="A line for every check."),
    click.option("--explain", metavar="CHECK", help="Say what a check is about."),
)


def report_options(command: Command) -> Command:
    """Adds the options that say where a report goes."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def wishes_from(
    options: Mapping[str, Any], *, baseline: Path | None, one: bool
) -> Wishes:
    """What a run shall show and write.

    Args:
        options: as the command line gives them.
        baseline: that of the command line, or of a configuration.
        one: whether the JSON is one report, not a run.

    Returns:
        The wishes; faults of ours are kept where findings are.

    Raises:
        UsageError: there is no baseline that could be updated.
    """
    from adaface_ref.report import kept_findings
    from adaface_ref.report.our_faults import keep_faults_in
    from adaface_ref.report.outputs import Wishes

    if options["update_baseline"] and baseline is None:
        raise click.UsageError("--update-baseline: --baseline must be given")
    wishes = Wishes(
        json=options["json_file"],
        html=options.get("html_file"),
        junit=options["junit_file"],
        sarif=options["sarif_file"],
        baseline=baseline,
        update=options["update_baseline"],
        reason=options["reason"],
        findings=options["findings"] or kept_findings.FOLDER,
        github=options["github"] or os.environ.get("GITHUB_ACTIONS") == "true",
        verbose=options["verbose"],
        shown=options.get("shown", "full"),
        one=one,
    )
    keep_faults_in(wishes.findings)
    return wishes
