"""The command line: reads options, calls, prints. Nothing is decided here.

Exit codes: 0 all as it should be, 1 a violation, 2 usage, 3 could not be judged.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import click

EFFORTS = click.Choice(["quick", "normal", "thorough"])
SECTIONS = click.Choice(["losses", "profiles", "quantities", "checks", "claims"])

FILE = click.Path(path_type=Path)
JSON_HELP = "Write the same as data."

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
@click.option("--json", "json_file", type=FILE, metavar="F", help=JSON_HELP)
@click.option("--device", default="cpu", show_default=True, help="Where torch runs.")
@click.option(
    "--effort",
    type=EFFORTS,
    default="normal",
    show_default=True,
    help="About 10^5, 10^6 or 10^7 values in all.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
def verify_command(json_file: Path | None, device: str, effort: str, seed: int) -> None:
    """Compare the three forms, then judge the three stated invariants.

    Exits 1 if a form disagrees or a verdict is not the expected one.

    \b
    Example:
      adaface-ref verify --effort quick --json verify.json
    """
    from adaface_ref.evidence.verify import as_json, verify
    from adaface_ref.gate.runner import require_device
    from adaface_ref.tables import print_verification

    require_device(device, "verify")
    check_writable(json_file)
    with shown_progress() as progress:
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
    """List losses, profiles, quantities, checks and claims.

    \b
    Example:
      adaface-ref list losses
    """
    from adaface_ref.tables import LISTS

    for name, show in LISTS.items():
        if section in (None, name):
            show()


@cli.command("gate")
@click.argument("target", required=False)
@click.option("--loss", metavar="NAME", help="Such as arcface.")
@click.option(
    "--profile",
    metavar="P",
    help="What it must be; auto (the default) takes any known one.",
)
@click.option(
    "--adapter",
    metavar="NAME",
    help="How to call it, if not recognised: callable, cosine, embedding, loss, "
    "adaface, pytorch-metric-learning, transformers or catalyst.",
)
@click.option(
    "--arg",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="An argument of the head, or the loss's parameter to judge it by.",
)
@click.option("--device", metavar="D", help="Where torch runs (cpu).")
@click.option(
    "--dtype",
    "dtypes",
    multiple=True,
    metavar="T",
    help="May be repeated; default float32 and float64.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Draws the points (0).")
@click.option(
    "--effort",
    type=EFFORTS,
    help="10^5, 10^6 or 10^7 points a check (normal).",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="A head that takes longer counts as hanging (1800).",
)
@click.option(
    "--memory-limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="GIB",
    help="A head that holds more, with what it starts, is ended (8).",
)
@click.option("--strict", is_flag=True, help="Warnings are errors.")
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
    from adaface_ref.gate import commands, configuration, replays

    if explain is not None:
        click.echo(commands.explanation(explain))
        return
    if config is None:
        found = configuration.find_configuration(Path.cwd())
    else:
        found = configuration.read_configuration(config)
    heads = configuration.chosen(found, target, settings_of(options))
    baseline = options["baseline"] or found.baseline
    if options["update_baseline"] and baseline is None:
        raise click.UsageError("--update-baseline: --baseline must be given")
    wishes = commands.Wishes(
        json=options["json_file"],
        junit=options["junit_file"],
        sarif=options["sarif_file"],
        baseline=baseline,
        update=options["update_baseline"],
        reason=options["reason"],
        findings=options["findings"] or replays.FOLDER,
        github=options["github"] or os.environ.get("GITHUB_ACTIONS") == "true",
        verbose=options["verbose"],
        one=target is not None,
    )
    with shown_progress() as progress:
        code, texts = commands.judge_heads(heads, wishes, progress)
    for text in texts:
        click.echo(text)
    sys.exit(code)


HEAD_OPTIONS = (
    *("loss", "profile", "adapter", "arguments", "device", "dtypes", "seed", "effort"),
    *("time_limit", "memory_limit", "strict"),
)
"""What the command line may say of a head."""


def settings_of(options: dict[str, Any]) -> dict[str, Any]:
    """A head's settings that the command line gives."""
    from adaface_ref.gate.arguments import parse_arguments

    given = {name: options[name] for name in HEAD_OPTIONS}
    # A seed of 0 equals False, but was given.
    given = {k: v for k, v in given.items() if v not in (None, ()) and v is not False}
    if "arguments" in given:
        given["arguments"] = parse_arguments(given["arguments"])
    return given


@cli.command("replay")
@click.argument("identifier", metavar="ID")
@click.option(
    "--findings",
    type=FILE,
    metavar="DIR",
    help="Where gate kept them (.adaface-ref).",
)
def replay_command(identifier: str, findings: Path | None) -> None:
    """Run one failure of gate again: FIXED or STILL FAILS.

    The check that found it runs again with the same head, settings and points, in a
    process of its own. Exits 0 if fixed, 1 if not, 3 if the head could not be judged.

    \b
    Example:
      adaface-ref replay 3f2a90c1d4
    """
    from adaface_ref.gate import replays

    stored = replays.recall(identifier, findings or replays.FOLDER)
    with shown_progress() as progress:
        text, code = replays.replay(stored, progress)
    click.echo(text)
    sys.exit(code)


FOLDER = click.Path(path_type=Path, file_okay=False, exists=True, writable=True)
POINTS_HELP = "10^5, 10^6 or 10^7 points a claim."
SEED = click.IntRange(min=0)


@cli.command("claims")
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@click.option("--file", "file", type=FILE, metavar="F.toml", help="Yours, not ours.")
@click.option("--details", is_flag=True, help="Print every claim at length.")
@click.option("--device", default="cpu", show_default=True, help="Where sweeps run.")
@click.option(
    "--effort",
    type=EFFORTS,
    default="normal",
    show_default=True,
    help=POINTS_HELP + " At thorough every float32 cosine is tried, too: hours.",
)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--json", "json_file", type=FILE, metavar="F", help=JSON_HELP)
@click.option(
    "--certificates", type=FOLDER, metavar="DIR", help="Write what proofs rest on."
)
@click.option(
    "--sweeps",
    type=FOLDER,
    metavar="DIR",
    help="Keep float32 sweeps here, and go on with one that was stopped.",
)
def claims_command(
    names: tuple[str, ...],
    file: Path | None,
    details: bool,
    json_file: Path | None,
    certificates: Path | None,
    **settings: Any,
) -> None:
    """Decide claims: proved, exhausted, tested or refuted, and where.

    NAME is an id, such as T8-to-the-letter, what ids begin with, such as T8, or a
    file: thread, invariants, profiles, further. Exits 1 if a verdict is not the
    expected one.

    \b
    Example:
      adaface-ref claims T8 --details
      adaface-ref claims --file mine.toml --json verdicts.json
    """
    from adaface_ref.spec.claim_files import our_claims, read_claims

    check_writable(json_file)
    known = our_claims() if file is None else read_claims(text_of(file), file.name)
    from adaface_ref.evidence.claims import (
        as_json,
        chosen,
        decide_all,
        write_certificates,
    )
    from adaface_ref.gate.runner import require_device
    from adaface_ref.tables import print_claims

    require_device(settings["device"], "claims")
    asked = chosen(known, names)
    with shown_progress() as progress:
        verdicts = decide_all(asked, **settings, progress=progress)
    print_claims(verdicts, details)
    write_json(json_file, as_json(verdicts, settings["seed"], settings["effort"]))
    if certificates is not None:
        write_certificates(verdicts, certificates)
    sys.exit(0 if all(verdict.as_expected for verdict in verdicts) else 1)


@cli.command("refute")
@click.argument("formula")
@click.option("--loss", required=True, metavar="NAME")
@click.option("--profile", default="pure", show_default=True, metavar="P")
@click.option("--where", default="", metavar="BOX", help="Such as margin=0.4.")
@click.option(
    "--effort", type=EFFORTS, default="normal", show_default=True, help=POINTS_HELP
)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--json", "json_file", type=FILE, metavar="F", help=JSON_HELP)
@click.option(
    "--certificates", type=FOLDER, metavar="DIR", help="Write what a proof rests on."
)
def refute_command(
    formula: str,
    loss: str,
    profile: str,
    where: str,
    json_file: Path | None,
    certificates: Path | None,
    **settings: Any,
) -> None:
    """Look for a counterexample to a claim, or prove it.

    BOX is name=value, name in [lo, hi], name in {v1, v2}, separated by commas;
    parameters that are not named take their recommended values, cosines their whole
    domain. Exits 0 and says PROVED or TESTED, 1 and shows a witness, or 3.

    \b
    Example:
      adaface-ref refute "gst <= 0" --loss adaface
      adaface-ref refute "gst <= 0" --loss adaface --profile clip
      adaface-ref refute "diff(abs(gst), target_cosine) > 0" --loss arcface \\
        --where "rival_cosine=0.5, target_cosine in [-0.8, 0.81]"
    """
    from adaface_ref.spec.claim_files import asked

    check_writable(json_file)
    claim = asked(formula, loss, profile, where)
    from adaface_ref.evidence.claims import as_json, decide_all, write_certificates
    from adaface_ref.tables import print_verdict

    with shown_progress() as progress:
        verdicts = decide_all([claim], **settings, progress=progress)
    print_verdict(verdicts[0])
    write_json(json_file, as_json(verdicts, settings["seed"], settings["effort"]))
    if certificates is not None:
        write_certificates(verdicts, certificates)
    sys.exit(REFUTE_EXITS.get(verdicts[0].name, 3))


REFUTE_EXITS = {"PROVED": 0, "EXHAUSTED": 0, "TESTED": 0, "REFUTED": 1}
"""Nothing was judged where nothing is decided, or the premise holds nowhere."""


def text_of(path: Path) -> str:
    """A user's file, or one line that says why not."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise click.UsageError(f"--file={path}: {reason}") from None


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


def check_writable(path: Path | None) -> None:
    """Finds out before the work, not after it, that a file cannot be written."""
    if path is None:
        return
    folder = path.resolve().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        must = "a file in a folder that exists and can be written"
        raise click.UsageError(f"--json={path}, but must be {must}")


def write_json(path: Path | None, data: dict[str, Any]) -> None:
    """Writes a result where one was asked for: whole, or not at all."""
    if path is None:
        return
    text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


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
        if not is_users(error):
            crash()
        fail(str(error))
    except Exception:
        crash()


def is_users(error: ValueError) -> bool:
    """Whether a user's input is to blame, and the error's text is for the user."""
    from adaface_ref.errors import DomainError, ShapeError
    from adaface_ref.spec.claim_tokens import ClaimError

    return isinstance(error, (DomainError, ShapeError, ClaimError))


def crash() -> NoReturn:
    """A fault of ours: nothing was judged."""
    traceback.print_exc()
    click.echo("adaface-ref: internal error, nothing was judged", err=True)
    sys.exit(3)


def fail(message: str) -> NoReturn:
    """One line on standard error, and exit code 2."""
    line = " ".join(message.split())
    click.echo(f"adaface-ref: {line}", err=True)
    sys.exit(2)
