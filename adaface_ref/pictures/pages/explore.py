"""The page to play with: one HTML file that needs no network.

Its numbers come from the JavaScript that `adaface-ref export javascript` writes, the
very text that the port harness judges; uPlot, bundled, draws the curves.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import matplotlib as mpl
import numpy as np

from adaface_ref.pictures.drawing.style import COLOURS
from adaface_ref.pictures.pages.template import assemble
from adaface_ref.points import COSINES, range_of, recommended
from adaface_ref.ports.export.export import texts_of
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.symbols import QUANTITIES

USUAL = {
    "classes": 1000.0,
    "curriculum": 0.0,
    "feature_norm": 60.0,
    "margin_scaler": 0.0,
    "multiplier": 1.0,
    "other_cosine": 0.2,
    "rival_cosine": 0.5,
    "standard_norm": 0.0,
}
"""Where the page begins, for what has no recommended value."""

REACH = {"scale": (1.0, 256.0), "multiplier": (1.0, 8.0), "classes": (2.0, 1e6)}
"""How far a control reaches, where that is not the range in which points are drawn."""

WHOLE = ("classes", "scale")
"""Quantities whose sliders go in whole steps."""

WORDS = {
    "standard_norm": "standardised norm",
    "concentration": "spread of z-hat",
    "rival_cosine": "one cosine for all rivals",
    "other_cosine": "cosine of every rival",
    "curriculum": "running mean t",
    "multiplier": "of the angle",
}
"""Short words for what the vocabulary explains at length."""

PRESETS: tuple[tuple[str, str, dict[str, object]], ...] = (
    (
        "CosFace at j = 0.5",
        "CosFace's |g| is s (1 - P): s = 64 where P is 0, and s/2 at its boundary B1, "
        "cos θ = j + m, which is 1 here. It falls within a few 1/s.",
        {"a.loss": "cosface", "a.margin": 0.5, "at": 0.9},
    ),
    (
        "ArcFace's peak",
        "ArcFace's |g| rises with cos θ only up to its peak, just before B1; "
        "it rises again next to 1.",
        {"a.loss": "arcface", "at": 0.8137916811},
    ),
    (
        "AdaFace, z-hat = 1, near 1",
        "The formula's g (A) changes sign at cos θ = cos m; with the official clip "
        "of the angle (B) g is 0 from there on.",
        {
            "a.loss": "adaface",
            "a.standard_norm": 4,
            "b.loss": "adaface",
            "b.profile": "clip",
            "b.standard_norm": 4,
            "range": "0.6,1",
            "at": 0.95,
        },
    ),
    (
        "Black circle and triangle",
        "High norm, ẑ = 1: |g| falls as cos θ rises, so that the hard sample (black "
        "triangle) weighs more than the easy one (black circle).",
        {
            "a.loss": "adaface",
            "a.profile": "clip",
            "a.standard_norm": 4,
            "at": 0.3,
        },
    ),
    (
        "White circle and triangle",
        "Low norm, ẑ = -1: |g| rises with cos θ up to its peak before B1. A hard "
        "sample (white triangle) weighs less than one at B1, but still much; past B1 "
        "(white circle) little is left.",
        {
            "a.loss": "adaface",
            "a.profile": "clip",
            "a.standard_norm": -4,
            "at": 0.3,
        },
    ),
)
"""The questions of the thread: a title, the view, and what it shows in words."""


def page() -> str:
    """The whole page.

    Returns:
        HTML that loads nothing.
    """
    name = "margin_softmax.js"
    return assemble(
        "explore.html",
        data={"vocabulary": vocabulary()},
        code={name: texts_of("javascript")[name]},
    )


def vocabulary() -> dict[str, Any]:
    """What the page knows of names, ranges and values to begin with."""
    symbols = {name: QUANTITIES[name].printed for name in QUANTITIES}
    words = {name: WORDS.get(name, row.meaning) for name, row in QUANTITIES.items()}
    ranges = _ranges()
    return {
        "symbols": symbols | {"classes": "C"},
        "words": words | {"classes": "number of classes"},
        "usual": {name: _usual(name, low) for name, (low, _) in ranges.items()},
        "ranges": {
            name: (*ends, 1.0 if name in WHOLE else 0.01)
            for name, ends in ranges.items()
        },
        "losses": {
            loss: {
                "title": row.title,
                "recommended": recommended(loss),
                "rowQuantity": row.row_quantity_name,
                "modifiesOthers": row.modifies_others,
                "hasArcs": row.has_arcs,
            }
            for loss, row in LOSSES.items()
        },
        "colours": _colours(),
        "presets": [
            {"title": title, "explanation": explanation, "view": urlencode(view)}
            for title, explanation, view in PRESETS
        ],
    }


def _colours() -> list[list[int]]:
    """Red, green and blue of the colour map of all pictures, from least to most."""
    map_of_shares = mpl.colormaps[COLOURS]
    return [
        [round(255 * part) for part in map_of_shares(share)[:3]]
        for share in np.linspace(0, 1, 9)
    ]


def _ranges() -> dict[str, tuple[float, float]]:
    """How far each control reaches: the cosines, and what some loss takes."""
    names = {*COSINES, "standard_norm", "concentration"}
    names |= {symbol.name for row in LOSSES.values() for symbol in row.parameters}
    return {name: range_of(name) for name in QUANTITIES if name in names} | REACH


def _usual(name: str, lowest: float) -> float:
    if name in USUAL:
        return USUAL[name]
    value = QUANTITIES[name].recommended
    return lowest if value is None else float(value)
