"""Everything `adaface-ref verify` asks: agreement of the forms, then the invariants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from adaface_ref.choices import EFFORTS
from adaface_ref.evidence.claims import decide_all, row_of
from adaface_ref.evidence.truth.agreement import Comparison
from adaface_ref.evidence.truth.forms import Agreement, agreements, defined_cells
from adaface_ref.evidence.verdict import Verdict
from adaface_ref.points import json_number
from adaface_ref.spec.language.files import Claim, our_claims

JSON_VERSION = 2

"""Values compared, about, over all cells together."""

SEARCHED = {"quick": "quick", "normal": "quick", "thorough": "normal"}
"""The effort for each invariant; `claims` takes more time for them."""

VALUES_A_POINT = 1_750
"""Cells times forms times quantities, about."""


class Invariant(NamedTuple):
    """One of the three stated invariants.

    Args:
        sentence: as it is commonly stated.
        true, false: the claims that say best where it holds, and where it does not.
    """

    sentence: str
    true: str
    false: str


INVARIANTS = {
    "I1": Invariant(
        "The GST goes to 0 as P goes to 1.",
        "I1-uniform-arcface-clip",
        "I1-near-1-pole",
    ),
    "I2": Invariant(
        "ArcFace's |GST| rises with cos(theta).",
        "I2-rises-arcface",
        "I2-as-a-law",
    ),
    "I3": Invariant(
        "AdaFace's GST has no change of sign near 1 at m = 0.4.",
        "I3-clip-recommended",
        "I3-pure-high-norm",
    ),
}
"""By what the ids of their claims begin with."""

Progress = Callable[[str, float], None]


def invariants() -> tuple[Claim, ...]:
    """The stated invariants in each of their readings, as claims."""
    return tuple(c for c in our_claims() if c.id.partition("-")[0] in INVARIANTS)


class Verification(NamedTuple):
    """What `verify` found.

    Args:
        agreements: one for each cell, form and dtype.
        verdicts: one for each of `invariants()`.
        seed: of every block.
        effort: a key of EFFORTS.
    """

    agreements: tuple[Agreement, ...]
    verdicts: tuple[Verdict, ...]
    seed: int
    effort: str

    @property
    def is_as_it_should_be(self) -> bool:
        """Whether all forms agree and every verdict is the expected one."""
        agree = bool(self.agreements) and all(a.agrees for a in self.agreements)
        judged = bool(self.verdicts) and all(v.as_expected for v in self.verdicts)
        return agree and judged


def verify(
    *,
    seed: int = 0,
    effort: str = "normal",
    device: str = "cpu",
    progress: Progress = lambda _what, _share: None,
) -> Verification:
    """Compares the three forms in every cell and judges the stated invariants.

    Args:
        seed: of every block of points.
        effort: a key of EFFORTS.
        device: where torch computes.
        progress: called with what is under way and the share done.

    Returns:
        All that was found.
    """
    size = EFFORTS[effort] // VALUES_A_POINT
    cells = defined_cells()
    claims = invariants()
    total = len(cells) + len(claims)
    found: list[Agreement] = []
    for done, cell in enumerate(cells):
        what = f"{done + 1} of {total}: {cell.loss} {cell.profile}"
        progress(what, done / total)
        found += agreements(cell, seed, size, device)
    # Every float32 cosine is the business of `claims --effort thorough`.
    plain = [replace(claim, sweep=False) for claim in claims]

    def onwards(what: str, share: float) -> None:
        done = len(cells) + share * len(claims)
        progress(f"{min(int(done) + 1, total)} of {total}: {what}", done / total)

    verdicts = decide_all(plain, seed=seed, effort=SEARCHED[effort], progress=onwards)
    return Verification(tuple(found), verdicts, seed, effort)


def as_json(result: Verification) -> dict[str, Any]:
    """A verification as data.

    Args:
        result: what `verify` returned.

    Returns:
        A dictionary of JSON types, with a version.
    """
    return {
        "version": JSON_VERSION,
        "seed": result.seed,
        "effort": result.effort,
        "as_it_should_be": result.is_as_it_should_be,
        "agreement": [_agreement_row(row) for row in result.agreements],
        "invariants": [row_of(verdict) for verdict in result.verdicts],
    }


def _agreement_row(row: Agreement) -> dict[str, Any]:
    return {
        "loss": row.cell.loss,
        "profile": row.cell.profile,
        "form": row.form,
        "dtype": row.dtype,
        "device": row.device,
        "agrees": row.agrees,
        "quantities": {
            judgement.question.quantity: {
                "worst_share_of_allowed": json_number(judgement.ratio),
                "compared": judgement.compared,
                "certified": judgement.certified,
                "poles": judgement.poles,
                "undecided": judgement.undecided,
                "failures": [_failure_row(row) for row in judgement.failures],
            }
            for judgement in row.judgements
        },
    }


def _failure_row(failure: Comparison) -> dict[str, Any]:
    numbers = ("got", "expected", "error", "allowed")
    return {
        "quantity": failure.quantity,
        "point": failure.point,
        **{name: json_number(getattr(failure, name)) for name in numbers},
    }
