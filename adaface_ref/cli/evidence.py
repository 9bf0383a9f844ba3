"""Commands that ask the evidence: verify, evaluate, list, claims, refute."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from adaface_ref.cli.options import (
    EFFORT,
    FILE,
    FOLDER,
    HTML_HELP,
    JSON_HELP,
    SEED,
    show_progress,
    write_html,
    write_json,
)
from adaface_ref.files import read_text, require_writable

SECTIONS = click.Choice(["losses", "profiles", "quantities", "checks", "claims"])


@click.command("verify")
@click.option("--json", "json_file", type=FILE, metavar="F", help=JSON_HELP)
@click.option("--html", "html_file", type=FILE, metavar="F", help=HTML_HELP)
@click.option("--device", default="cpu", show_default=True, help="Where torch runs.")
@click.option(
    "--effort",
    type=EFFORT,
    default="normal",
    show_default=True,
    help="About 10^5, 10^6 or 10^7 values in all.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--details", is_flag=True, help="Every profile, and every reading.")
def verify_command(
    json_file: Path | None,
    html_file: Path | None,
    device: str,
    effort: str,
    seed: int,
    details: bool,
) -> None:
    """Compare the three forms, then judge the three stated invariants.

    Exits 1 if a form disagrees or a verdict is not the expected one.

    \b
    Example:
      adaface-ref verify --effort quick --json verify.json
    """
    from adaface_ref.cli.printing.results import print_verification
    from adaface_ref.evidence.verify import as_json, verify
    from adaface_ref.gate.checks.runner import require_device
    from adaface_ref.pictures.pages.reports import verification_page

    require_device(device, "verify")
    require_writable({"--json": json_file, "--html": html_file})
    with show_progress() as progress:
        result = verify(seed=seed, effort=effort, device=device, progress=progress)
    print_verification(result, details)
    write_json(json_file, as_json(result))
    write_html(html_file, lambda: verification_page(as_json(result)))
    sys.exit(0 if result.is_as_it_should_be else 1)


@click.command("evaluate")
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
    from adaface_ref.cli.printing.results import print_point
    from adaface_ref.evidence.truth.point import defined_profiles, parse_point

    profiles = defined_profiles(loss, profile)
    point = parse_point(where, loss)
    print_point(loss, profiles, point)


@click.command("list")
@click.argument("section", type=SECTIONS, required=False)
def list_command(section: str | None) -> None:
    """List losses, profiles, quantities, checks and claims.

    \b
    Example:
      adaface-ref list losses
    """
    from adaface_ref.cli.printing.lists import LISTS

    for name, show in LISTS.items():
        if section in (None, name):
            show()


POINTS_HELP = "10^5, 10^6 or 10^7 points a claim."


@click.command("claims")
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@click.option("--file", "file", type=FILE, metavar="F.toml", help="Yours, not ours.")
@click.option("--details", is_flag=True, help="Print every claim at length.")
@click.option("--device", default="cpu", show_default=True, help="Where sweeps run.")
@click.option(
    "--effort",
    type=EFFORT,
    default="normal",
    show_default=True,
    help=POINTS_HELP + " At thorough every float32 cosine is tried, too: hours.",
)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--json", "json_file", type=FILE, metavar="F", help=JSON_HELP)
@click.option("--html", "html_file", type=FILE, metavar="F", help=HTML_HELP)
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
    html_file: Path | None,
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
    from adaface_ref.spec.language.files import our_claims, read_claims

    require_writable({"--json": json_file, "--html": html_file})
    known = (
        our_claims()
        if file is None
        else read_claims(read_text(file, "--file"), file.name)
    )
    from adaface_ref.cli.printing.results import print_claims
    from adaface_ref.evidence.claims import (
        as_json,
        choose_claims,
        decide_all,
        write_certificates,
    )
    from adaface_ref.gate.checks.runner import require_device
    from adaface_ref.pictures.pages.reports import claims_page

    require_device(settings["device"], "claims")
    asked = choose_claims(known, names)
    with show_progress() as progress:
        verdicts = decide_all(asked, **settings, progress=progress)
    print_claims(verdicts, details)
    data = as_json(verdicts, settings["seed"], settings["effort"])
    write_json(json_file, data)
    write_html(html_file, lambda: claims_page(data))
    if certificates is not None:
        write_certificates(verdicts, certificates)
    sys.exit(0 if all(verdict.as_expected for verdict in verdicts) else 1)


@click.command("refute")
@click.argument("formula")
@click.option("--loss", required=True, metavar="NAME")
@click.option("--profile", default="pure", show_default=True, metavar="P")
@click.option("--where", default="", metavar="BOX", help="Such as margin=0.4.")
@click.option(
    "--effort", type=EFFORT, default="normal", show_default=True, help=POINTS_HELP
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
    from adaface_ref.spec.language.files import asked

    require_writable({"--json": json_file})
    claim = asked(formula, loss, profile, where)
    from adaface_ref.cli.printing.results import print_verdict
    from adaface_ref.evidence.claims import as_json, decide_all, write_certificates

    with show_progress() as progress:
        verdicts = decide_all([claim], **settings, progress=progress)
    print_verdict(verdicts[0])
    write_json(json_file, as_json(verdicts, settings["seed"], settings["effort"]))
    if certificates is not None:
        write_certificates(verdicts, certificates)
    sys.exit(REFUTE_EXITS.get(verdicts[0].name, 3))


REFUTE_EXITS = {"PROVED": 0, "EXHAUSTED": 0, "TESTED": 0, "REFUTED": 1}
"""Nothing was judged where nothing is decided, or the premise holds nowhere."""
