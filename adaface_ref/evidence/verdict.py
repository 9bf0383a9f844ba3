"""The ladder of evidence: a claim decided by the strongest that can be had.

PROVED by identity or by intervals and checked by a second engine; EXHAUSTED, every
cosine of a dtype; TESTED at so many points; REFUTED by a witness; VACUOUS, its premise
holds nowhere; OPEN, and why. Every verdict names its domain.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from adaface_ref.evidence.functions import FUNCTIONS
from adaface_ref.evidence.problem.problem import (
    Problem,
    box_of,
    box_of_problem,
    problems_of,
)
from adaface_ref.evidence.proof.branch_and_bound import Proof, prove
from adaface_ref.evidence.proof.certificate import certificate_of, check
from adaface_ref.evidence.proof.clauses import clauses_of
from adaface_ref.evidence.proof.reduce import TooManyClauses, opposite
from adaface_ref.evidence.search.axes import Hint
from adaface_ref.evidence.search.search import Search, search
from adaface_ref.evidence.search.witness import Witness
from adaface_ref.evidence.sweep.records import SweepRecord
from adaface_ref.spec.language.box import describe
from adaface_ref.spec.language.cases import ClaimCase
from adaface_ref.spec.language.files import Claim

POINTS = {"quick": 100_000, "normal": 1_000_000, "thorough": 10_000_000}
"""Points a claim, by effort."""

Progress = Callable[[str, float], None]


class Verdict(NamedTuple):
    """What was found about one claim.

    Args:
        claim: what was claimed.
        name: PROVED, EXHAUSTED, TESTED, REFUTED, VACUOUS or OPEN.
        evidence: by what, in a few words.
        domain: every input with its value or interval; empty if it is not decidable.
        points: points looked at in working precision.
        certified: points that balls decided.
        undecided: points that they could not decide.
        unasked: points that look false, and about which balls were not asked.
        seed: of the search.
        boxes: boxes that a proof looked at.
        volume: the share of the domain that it left open.
        places: where that is, at most a few boxes.
        witness: for REFUTED.
        detail: figures that were found, or why it cannot be decided.
        certificates: of a proof, one for each choice of the values listed.
        sweeps: of every cosine of a dtype.
        seconds: the time it took.
    """

    claim: Claim
    name: str
    evidence: str
    domain: str
    points: int = 0
    certified: int = 0
    undecided: int = 0
    unasked: int = 0
    seed: int = 0
    boxes: int = 0
    volume: float = 0.0
    places: tuple[Hint, ...] = ()
    witness: Witness | None = None
    detail: str = ""
    certificates: tuple[Mapping[str, Any], ...] = ()
    sweeps: tuple[SweepRecord, ...] = ()
    seconds: float = 0.0

    @property
    def as_expected(self) -> bool:
        """Whether it is the verdict that the claim states; any but REFUTED if none."""
        if not self.claim.expected:
            return self.name not in ("REFUTED", "OPEN")
        return self.name == self.claim.expected


def decide(
    claim: Claim,
    *,
    seed: int = 0,
    effort: str = "normal",
    device: str = "cpu",
    sweeps: Path | None = None,
    progress: Progress = lambda _what, _share: None,
) -> Verdict:
    """Decides a claim.

    Args:
        claim: as it stands in a file, or as a user writes it.
        seed: of the search.
        effort: a key of POINTS; at thorough, a claim to be swept is swept in float32.
        device: where sweeps compute.
        sweeps: a folder that keeps float32 sweeps and their unfinished states.
        progress: called with what is under way and the share done.

    Returns:
        The verdict.

    Raises:
        ClaimError: for a formula or a box that cannot be read.
    """
    start = time.monotonic()
    if claim.function:
        found = _decide_by_function(claim, seed)
    elif not claim.formula:
        found = Verdict(claim, "OPEN", "not decidable here", "", detail=claim.why)
    else:
        found = _Ladder(claim, seed, effort, device, sweeps, progress).verdict()
    return found._replace(seconds=time.monotonic() - start)


def _decide_by_function(claim: Claim, seed: int) -> Verdict:
    function, domain = FUNCTIONS[claim.function]
    finding = function(seed)
    name = "TESTED" if finding.holds else "REFUTED"
    detail = "; ".join(part for part in (finding.detail, finding.witness) if part)
    evidence = f"{finding.points:,} points" if finding.holds else "witness"
    return Verdict(
        claim,
        name,
        evidence,
        domain,
        points=finding.points,
        seed=seed,
        detail=detail,
    )


class _Ladder:
    """One claim on its way up; a box of several values is several problems."""

    def __init__(
        self,
        claim: Claim,
        seed: int,
        effort: str,
        device: str,
        sweeps: Path | None,
        progress: Progress,
    ) -> None:
        box = box_of(claim.formula, claim.loss, claim.box)
        self.claim, self.seed, self.effort = claim, seed, effort
        self.device, self.sweeps, self.progress = device, sweeps, progress
        self.parts = problems_of(claim.formula, claim.loss, claim.profile, box)
        self.points = max(10_000, POINTS[effort] // len(self.parts))
        self.so_far = Verdict(claim, "OPEN", "", describe(box), seed=seed)

    def verdict(self) -> Verdict:
        """The strongest verdict that can be had."""
        premised = 0
        for part in self.parts:
            # Where every sign is manifest the search only holds the algebra to balls.
            points = self.points // (1 if is_open(part) else 10)
            found = self._search(part, points)
            premised += found.premised
            if found.witness is not None:
                return self._refute(found.witness)
        if not premised and all(map(_is_vacuous, self.parts)):
            return self.so_far._replace(name="VACUOUS", evidence="premise disproved")
        proofs = [self._prove(part) for part in self.parts]
        for part, proof in zip(self.parts, proofs, strict=True):
            if not proof.is_complete:
                found = self._search(part, FOLLOWED_UP, proof.open_boxes)
                if found.witness is not None:
                    return self._refute(found.witness)
        return self._exhaust(self._weigh_proofs(proofs, premised))

    def _search(self, part: Problem, points: int, hints: Sequence[Hint] = ()) -> Search:
        self.progress(f"{self.claim.id or part.formula[:40]}: search", 0.0)
        found = search(part, self.seed, points, hints)
        self.so_far = self.so_far._replace(
            points=self.so_far.points + found.points,
            certified=self.so_far.certified + found.certified,
            undecided=self.so_far.undecided + found.undecided,
            unasked=self.so_far.unasked + found.unasked,
        )
        return found

    def _refute(self, witness: Witness) -> Verdict:
        return self.so_far._replace(name="REFUTED", evidence="witness", witness=witness)

    def _prove(self, part: Problem) -> Proof:
        self.progress(f"{self.claim.id or part.formula[:40]}: proof", 0.5)
        for way in self._ways(part):
            proofs = [prove(step, self.effort) for step in way]
            if all(proof.is_complete for proof in proofs):
                certificates = list(map(certificate_of, way, proofs))
                checked = list(map(check, certificates))
                if all(row.accepted for row in checked):
                    self._keep(proofs, certificates)
                    return Proof(sum((p.trees for p in proofs), ()), True)
                reason = next(row.reason for row in checked if not row.accepted)
                detail = f"the second engine rejects the proof: {reason}"
                self.so_far = self.so_far._replace(detail=detail)
        self._keep(proofs[-1:], [])
        return proofs[-1]._replace(finished=False)

    def _ways(self, part: Problem) -> list[tuple[Problem, ...]]:
        """As it stands; or another form, after it is proved to say the same."""
        other = self.claim.equivalent
        if not other:
            return [(part,)]
        box = box_of_problem(part)
        texts = (f"iff({part.formula}, {other})", other)
        steps = [problems_of(text, part.loss, part.profile, box)[0] for text in texts]
        return [tuple(steps), (part,)]

    def _keep(
        self, proofs: Sequence[Proof], certificates: Sequence[Mapping[str, Any]]
    ) -> None:
        so_far = self.so_far
        left = [box for proof in proofs for box in proof.open_boxes]
        self.so_far = so_far._replace(
            boxes=so_far.boxes + sum(proof.boxes for proof in proofs),
            volume=max([so_far.volume, *(proof.volume for proof in proofs)]),
            places=(*so_far.places, *left)[:PLACES],
            certificates=(*so_far.certificates, *certificates),
        )

    def _weigh_proofs(self, proofs: Sequence[Proof], premised: int) -> Verdict:
        so_far = self.so_far
        if all(proof.is_complete for proof in proofs):
            engine = f"interval, {so_far.boxes:,} boxes" if so_far.boxes else "identity"
            return so_far._replace(name="PROVED", evidence=engine)
        if premised and not so_far.undecided and not so_far.unasked:
            return so_far._replace(name="TESTED", evidence=f"{so_far.points:,} points")
        return so_far._replace(name="OPEN", evidence=_why_open(so_far, premised))

    def _exhaust(self, risen: Verdict) -> Verdict:
        if not self.claim.sweep:
            return risen
        # torch takes longer to import than most claims to decide.
        from adaface_ref.evidence.sweep.exhaust import sweep_problems

        found = sweep_problems(
            self.claim, self.parts, self.effort, self.device, self.sweeps, self.progress
        )
        risen = risen._replace(sweeps=found)
        failing = [row for row in found if row.fails]
        if failing:
            # A proof and a sweep that contradict each other: one of them is wrong.
            detail = f"{failing[0].dtype} sweep fails at {failing[0].failing[:1]}"
            return risen._replace(name="OPEN", evidence="contradiction", detail=detail)
        swept = [row for row in found if row.total]
        whole = swept and all(row.holds == row.total for row in found)
        if risen.name in ("TESTED", "OPEN") and whole:
            return risen._replace(name="EXHAUSTED", evidence=_count_cosines(swept))
        return risen


def _why_open(found: Verdict, premised: int) -> str:
    if not premised:
        return "premise never met"
    if found.undecided:
        return f"{found.undecided:,} points undecided"
    return f"{found.unasked:,} points look false, and balls were not asked"


def _count_cosines(swept: Sequence[SweepRecord]) -> str:
    """How many cosines of which dtypes."""
    counts = Counter[str]()
    for row in swept:
        counts[row.dtype] += row.total
    return ", ".join(
        f"all {count:,} {dtype} cosines" for dtype, count in counts.items()
    )


FOLLOWED_UP = 10_000
"""Points of a second search, which begins where a proof was left open."""

PLACES = 8
"""Open boxes that a verdict lists."""


def is_open(part: Problem) -> bool:
    """Whether there is anything to prove, or every sign is manifest."""
    try:
        return bool(clauses_of(part))
    except TooManyClauses:
        return True


def _is_vacuous(part: Problem) -> bool:
    """Whether the premise is proved to hold nowhere."""
    cases = tuple(_deny(case) for case in part.cases)
    return prove(part._replace(cases=cases)).is_complete


def _deny(case: ClaimCase) -> ClaimCase:
    return case._replace(statement=opposite(case.premise))
