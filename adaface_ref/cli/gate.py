"""Commands of the gate: gate, replay."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from adaface_ref.choices import REPORT_FORMATS
from adaface_ref.cli.options import (
    FILE,
    HTML_HELP,
    head_options,
    head_settings,
    show_progress,
    write_html,
)
from adaface_ref.cli.report_options import report_options, wishes_from


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
    "--init", is_flag=True, help="Write TARGET into pyproject.toml, judge nothing."
)
@click.option(
    "--output-format",
    "shown",
    type=click.Choice(REPORT_FORMATS),
    default="full",
    show_default=True,
    help="How the report is printed.",
)
@click.option("--html", "html_file", type=FILE, metavar="F", help=HTML_HELP)
@report_options
def gate_command(
    target: str | None,
    explain: str | None,
    config: Path | None,
    init: bool,
    **options: Any,
) -> None:
    """Judge a loss head: package.module:name or path/file.py:name.

    Without TARGET it judges every [[tool.adaface-ref.head]] of pyproject.toml. Exits 0
    if all conform, 1 if not, 3 if one could not be judged. A head runs in a process of
    its own, so that one that crashes or hangs is exit 3, too.

    \b
    Example:
      adaface-ref gate pytorch_metric_learning.losses:ArcFaceLoss --loss arcface
      adaface-ref gate heads.py:my_head --loss adaface --arg scale=30
      adaface-ref gate heads.py:my_head --loss adaface --init
      adaface-ref gate --junit gate.xml --sarif gate.sarif
      adaface-ref gate --explain poles-target
    """
    if explain is not None:
        from adaface_ref.report import catalogue

        click.echo(catalogue.explain(explain, catalogue.GATE))
        return
    if init:
        from adaface_ref.files import write_whole
        from adaface_ref.gate.configuration import add_head

        file, text = add_head(config, target, head_settings(options))
        write_whole(file, text)
        click.echo(f"{file}: {target} added; adaface-ref gate judges its heads")
        return
    from adaface_ref.gate import commands, configuration
    from adaface_ref.pictures.pages.reports import gate_page
    from adaface_ref.report.ci_formats import exit_code_of

    if config is None:
        found = configuration.find_configuration(Path.cwd())
    else:
        found = configuration.read_configuration(config)
    heads = configuration.chosen(found, target, head_settings(options))
    baseline = options["baseline"] or found.baseline
    wishes = wishes_from(options, baseline=baseline, one=target is not None)
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
@click.option("--snippet", is_flag=True, help="Print its script to paste, run nothing.")
def replay_command(identifier: str, findings: Path | None, snippet: bool) -> None:
    """Run one failure of gate or port again: FIXED or STILL FAILS.

    The check that found it runs again with the same head or port, settings and points,
    in a process of its own. Exits 0 if fixed, 1 if not, 3 if it could not be judged.

    \b
    Example:
      adaface-ref replay 3f2a90c1d4
    """
    from adaface_ref.gate import replay as of_head
    from adaface_ref.ports import replay as of_port
    from adaface_ref.report import kept_findings
    from adaface_ref.report.our_faults import keep_faults_in

    folder = findings or kept_findings.FOLDER
    keep_faults_in(folder)
    kept = kept_findings.recall(identifier, folder)
    if snippet:
        click.echo(kept.finding.snippet)
        return
    replays = {"head": of_head.replay, "port": of_port.replay}
    with show_progress() as progress:
        text, code = replays[kept.kind](kept, progress)
    click.echo(text)
    sys.exit(code)
