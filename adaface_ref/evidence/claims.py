"""Many claims decided, and what was found as data."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from adaface_ref.errors import domain_error
from adaface_ref.evidence.search.witness import Witness
from adaface_ref.evidence.sweep.records import SweepRecord
from adaface_ref.evidence.verdict import Verdict, decide
from adaface_ref.points import json_number
from adaface_ref.spec.language.files import Claim
from adaface_ref.spec.language.tokens import did_you_mean
from adaface_ref.spec.language.values import printed

JSON_VERSION = 1

FEW = 8
"""So many claims are decided by this process alone: others take seconds to start."""

Progress = Callable[[str, float], None]


def choose_claims(claims: Sequence[Claim], names: Sequence[str]) -> tuple[Claim, ...]:
    """The claims that are asked for by name.

    Args:
        claims: to choose from.
        names: ids, files' names, or what an id begins with up to a hyphen, such as T8;
            none for all.

    Returns:
        The claims in their order.

    Raises:
        DomainError: for a name that names none.
    """
    for name in names:
        if not any(_is_named(claim, name) for claim in claims):
            known = [claim.id for claim in claims]
            hint = did_you_mean(name, (*known, *{_stem(claim) for claim in claims}))
            must = f"the id of a claim, as `adaface-ref list claims` shows them{hint}"
            raise domain_error("name", repr(name), must, "claims")
    return tuple(c for c in claims if not names or any(_is_named(c, n) for n in names))


def _stem(claim: Claim) -> str:
    return claim.id.partition("-")[0]


def _is_named(claim: Claim, name: str) -> bool:
    return name in (claim.id, claim.file) or claim.id.startswith(f"{name}-")


def decide_all(
    claims: Sequence[Claim],
    *,
    seed: int = 0,
    effort: str = "normal",
    device: str = "cpu",
    sweeps: Path | None = None,
    progress: Progress = lambda _what, _share: None,
) -> tuple[Verdict, ...]:
    """Decides claims, on every core if there are many.

    Args:
        claims: to decide.
        seed: of every search.
        effort: quick, normal or thorough.
        device: where sweeps compute.
        sweeps: a folder that keeps float32 sweeps and their unfinished states.
        progress: called with what is under way and the share done.

    Returns:
        The verdicts in the order of the claims, however they were computed.
    """
    settings = {"seed": seed, "effort": effort, "device": device, "sweeps": sweeps}
    done: list[Verdict] = []
    for verdict in _decide_in_order(claims, settings, progress):
        done.append(verdict)
        progress(verdict.claim.id, len(done) / len(claims))
    return tuple(done)


def _decide_in_order(
    claims: Sequence[Claim], settings: dict[str, Any], progress: Progress
) -> Iterator[Verdict]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    alone = len(claims) <= FEW or cores == 1 or settings["effort"] == "thorough"
    if alone:
        for place, claim in enumerate(claims):

            def report_share(what: str, share: float, place: int = place) -> None:
                progress(what, (place + share) / len(claims))

            yield decide(claim, **settings, progress=report_share)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(cores, 8), mp_context=context) as pool:
        yield from pool.map(partial(decide, **settings), claims)


def as_json(verdicts: Sequence[Verdict], seed: int, effort: str) -> dict[str, Any]:
    """Verdicts as data.

    Args:
        verdicts: what was found.
        seed: of every search.
        effort: quick, normal or thorough.

    Returns:
        A dictionary of JSON types, with a version.
    """
    return {
        "version": JSON_VERSION,
        "seed": seed,
        "effort": effort,
        "as_it_should_be": all(verdict.as_expected for verdict in verdicts),
        "claims": [row_of(verdict) for verdict in verdicts],
    }


def row_of(verdict: Verdict) -> dict[str, Any]:
    """One verdict as data: the claim, what was found, and how."""
    claim = verdict.claim
    words = ("id", "statement", "source", "reading", "loss", "profile", "formula")
    return {
        **{name: getattr(claim, name) for name in words},
        "domain": verdict.domain,
        "verdict": verdict.name,
        "expected": claim.expected,
        "as_expected": verdict.as_expected,
        "evidence": verdict.evidence,
        "points": verdict.points,
        "certified": verdict.certified,
        "undecided": verdict.undecided,
        "unasked": verdict.unasked,
        "boxes": verdict.boxes,
        "volume_left": json_number(verdict.volume),
        "places_left": [
            {name: list(map(json_number, ends)) for name, ends in place.items()}
            for place in verdict.places
        ],
        "detail": verdict.detail,
        "witness": None if verdict.witness is None else _witness(verdict.witness),
        "sweeps": [_sweep(row) for row in verdict.sweeps],
        "seconds": round(verdict.seconds, 3),
    }


def _witness(witness: Witness) -> dict[str, Any]:
    floats = {n: v for n, v in witness.point.items() if isinstance(v, float)}
    exact = {n: v for n, v in witness.point.items() if n not in floats}
    passes = witness.passes
    return {
        "point": {n: json_number(value) for n, value in floats.items()},
        "hex": {name: value.hex() for name, value in floats.items()},
        "fixed": {name: printed(value) for name, value in exact.items()},
        "got": dict(witness.got),
        "matters": list(witness.matters),
        "passes": None
        if passes is None
        else {"input": passes[0], "value": passes[1], "hex": passes[1].hex()},
    }


def _sweep(row: SweepRecord) -> dict[str, Any]:
    return {**row._asdict(), "failing": list(row.failing)}


def write_certificates(verdicts: Sequence[Verdict], folder: Path) -> int:
    """Writes the certificate of every proof, one file each.

    Args:
        verdicts: what was found.
        folder: where; it must exist.

    Returns:
        How many were written.
    """
    count = 0
    for verdict in verdicts:
        for place, certificate in enumerate(verdict.certificates):
            name = f"{verdict.claim.id or 'claim'}-{place}.json"
            text = json.dumps(certificate, indent=1) + "\n"
            (folder / name).write_text(text, encoding="utf-8")
            count += 1
    return count
