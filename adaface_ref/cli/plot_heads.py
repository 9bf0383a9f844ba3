"""The heads that `plot` draws: its options, and a head for every combination."""

from __future__ import annotations

from itertools import product
from typing import Any

import click

LOSS = click.option(
    "--loss", "losses", multiple=True, metavar="NAME", help="Default: adaface."
)
PROFILE = click.option(
    "--profile",
    "profiles",
    multiple=True,
    default=("pure",),
    show_default=True,
    metavar="P",
)
SCALER = click.option(
    "--margin-scaler",
    "scalers",
    multiple=True,
    type=float,
    help="AdaFace's z-hat; default -1, 0 and 1.",
)
SCALE = click.option(
    "--scale", "scales", multiple=True, type=float, help="s; default 64."
)
MARGIN = click.option(
    "--margin", "margins", multiple=True, type=float, help="m; default each loss's own."
)
SCALERS = (-1.0, 0.0, 1.0)
"""Of low, middling and high norms."""

PARAMETER = click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any other parameter, such as curriculum=0.3.",
)
MOST_RIVAL = 20.0
"""A million classes at cosine 1 are worth 1 + ln(10^6)/s, 14.8 at s = 1."""


def check_rivals(rivals: tuple[float, ...]) -> list[float]:
    """The rivals, each once."""
    from adaface_ref.errors import domain_error

    for rival in rivals:
        if not -1 <= rival <= MOST_RIVAL:
            must = f"in [-1, {MOST_RIVAL:g}]"
            raise domain_error("rival_cosine", rival, must, "plot")
    return list(dict.fromkeys(rivals))


def choose_heads(
    losses: tuple[str, ...],
    profiles: tuple[str, ...],
    scalers: tuple[float, ...],
    scales: tuple[float, ...],
    margins: tuple[float, ...],
    parameters: tuple[str, ...],
) -> Any:
    """A head for every combination; what is not defined is named on standard error."""
    from adaface_ref.errors import domain_error
    from adaface_ref.numpy_reference import PARAMETERS
    from adaface_ref.pictures.curves import heads_of

    options = {"margin": margins, "scale": scales, "margin_scaler": scalers}
    named = {name for name, values in options.items() if values}
    others: dict[str, float] = {}
    for name, value in map(pair, parameters):
        if name in named or name in others:
            must = "given once; an option that may be repeated takes several values"
            raise domain_error(f"parameter {name}", f"{value:g}", must, "plot")
        others[name] = value
    asked = losses or ("adaface",)
    for loss in asked:
        if loss not in PARAMETERS:
            raise domain_error("loss", loss, f"one of {', '.join(PARAMETERS)}", "plot")
    names = {name for loss in asked for name in PARAMETERS[loss]}
    given = set(others) | named
    for name in sorted(given - names):
        must = f"one that {' or '.join(asked)} takes"
        raise domain_error("parameter", name, must, "plot")
    choices = []
    options = {"margin_scaler": SCALERS} | {k: v for k, v in options.items() if v}
    for values in product(*options.values()):
        choices.append({**dict(zip(options, values, strict=True)), **others})
    heads, missing = heads_of(asked, profiles, choices)
    for line in missing:
        click.echo(f"adaface-ref: left out: {line}", err=True)
    return heads


def pair(text: str) -> tuple[str, float]:
    """Reads `name=value`."""
    from adaface_ref.errors import domain_error
    from adaface_ref.evidence.truth.point import parse_number

    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name:
        raise domain_error("parameter", repr(text), "name=value", "plot")
    return name, parse_number(name, value, "plot")
