"""Commands of the gate: gate, replay."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from adaface_ref.cli.options import (
    FILE,
    HTML_HELP,
    JSON_HELP,
    head_options,
    head_settings,
    show_progress,
    write_html,
)


@click.command("gate")
@click.argument("target", required=False)
@head_options
@click.option(
    "--config",
    type=FILE,
    metavar="F",
    help="Where [tool.adaface-ref] stands; default the nearest pyproject.toml.",
)
@click.option(
    "--baseline",
    type=FILE,
    metavar="F",
    help="Accepted findings: each needs a reason and a last day; one that is no longer "
    "found, or past its day, fails.",
)
@click.option(
    "--update-baseline",
    is_flag=True,
    help="Write what fails now into the baseline, for 90 days; reasons and days that "
    "are there stay. An entry without a reason fails until one is written.",
)
@click.option("--reason", default="", metavar="TEXT", help="For new entries.")
@click.option("--json", "json_file", type=FILE, metavar="F", help=JSON_HELP)
@click.option("--html", "html_file", type=FILE, metavar="F", help=HTML_HELP)
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
@click.option("--explain", metavar="CHECK", help="Say what a check is about.")
def gate_command(
    target: str | None, explain: str | None, config: Path | None, **options: Any
) -> None:
    """Judge a loss head: package.module:name or path/file.py:name.

    Without TARGET it judges every [[tool.adaface-ref.head]] of pyproject.toml. Exits 0
    if all conform, 1 if not, 3 if one could not be judged. A head runs in a process of
    its own, so that one that crashes or hangs is exit 3, too.

    \b
    Example:
      adaface-ref gate pytorch_metric_learning.losses:ArcFaceLoss --loss arcface
      adaface-ref gate heads.py:my_head --loss adaface --arg scale=30
      adaface-ref gate --junit gate.xml --sarif gate.sarif
      adaface-ref gate --explain poles-target
    """
    if explain is not None:
        from adaface_ref.report.catalogue import GATE, catalogue, entry_of

        click.echo(entry_of(explain, catalogue(GATE)).text())
        return
    from adaface_ref.gate import commands, configuration
    from adaface_ref.pictures.pages.reports import gate_page
    from adaface_ref.report import kept_findings
    from adaface_ref.report.ci_formats import exit_code_of
    from adaface_ref.report.our_faults import keep_faults_in

    if config is None:
        found = configuration.find_configuration(Path.cwd())
    else:
        found = configuration.read_configuration(config)
    heads = configuration.chosen(found, target, head_settings(options))
    baseline = options["baseline"] or found.baseline
    if options["update_baseline"] and baseline is None:
        raise click.UsageError("--update-baseline: --baseline must be given")
    wishes = commands.Wishes(
        json=options["json_file"],
        html=options["html_file"],
        junit=options["junit_file"],
        sarif=options["sarif_file"],
        baseline=baseline,
        update=options["update_baseline"],
        reason=options["reason"],
        findings=options["findings"] or kept_findings.FOLDER,
        github=options["github"] or os.environ.get("GITHUB_ACTIONS") == "true",
        verbose=options["verbose"],
        one=target is not None,
    )
    keep_faults_in(wishes.findings)
    with show_progress() as progress:
        reports, texts = commands.judge_heads(heads, wishes, progress)
    for text in texts:
        click.echo(text)
    write_html(wishes.html, lambda: gate_page([r.as_json() for r in reports]))
    sys.exit(exit_code_of(reports))


@click.command("replay")
@click.argument("identifier", metavar="ID")
@click.option(
    "--findings",
    type=FILE,
    metavar="DIR",
    help="Where gate kept them (.adaface-ref).",
)
def replay_command(identifier: str, findings: Path | None) -> None:
    """Run one failure of gate or port again: FIXED or STILL FAILS.

    The check that found it runs again with the same head or port, settings and points,
    in a process of its own. Exits 0 if fixed, 1 if not, 3 if it could not be judged.

    \b
    Example:
      adaface-ref replay 3f2a90c1d4
    """
    from adaface_ref.gate import replay
    from adaface_ref.report import kept_findings
    from adaface_ref.report.our_faults import keep_faults_in

    folder = findings or kept_findings.FOLDER
    keep_faults_in(folder)
    kept = kept_findings.kept(identifier, folder)
    with show_progress() as progress:
        if "port" in kept:
            from adaface_ref.ports import replays as of_ports

            file = folder / f"{identifier}.json"
            text, code = of_ports.replay(kept, file, progress)
        else:
            stored = replay.recall(identifier, folder)
            text, code = replay.replay(stored, progress)
    click.echo(text)
    sys.exit(code)
