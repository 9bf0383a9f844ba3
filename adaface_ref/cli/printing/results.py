"""Results as tables of text."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from adaface_ref.choices import DTYPES
from adaface_ref.cli.printing.console import add_row, make_table, open_console
from adaface_ref.evidence.verdict import Verdict
from adaface_ref.spec.language.files import Claim
from adaface_ref.spec.language.inputs import losses_of
from adaface_ref.spec.language.language import parse_formula
from adaface_ref.spec.losses import LOSSES

if TYPE_CHECKING:  # torch comes with these
    from adaface_ref.evidence.truth.agreement import Judgement
    from adaface_ref.evidence.verify import Verification


def print_verification(result: Verification, details: bool = False) -> None:
    """Prints what `verify` found on one screen, or in two tables; all failures.

    Args:
        result: what `verify` returned.
        details: whether every profile and every reading gets a row.
    """
    console = open_console()
    if details:
        title = "The stated invariants, where they are true and where they are not"
        console.print(_claim_table(title, result.verdicts))
        console.print()
        console.print(_agreement_table(result))
    else:
        for line in [*_invariant_lines(result), *_loss_lines(result)]:
            console.print(line, markup=False, highlight=False, no_wrap=True)
    for row in result.agreements:
        for judgement in row.judgements:
            for failure in judgement.failures[:1]:
                where = f"{row.cell.loss} {row.cell.profile} {row.form} {row.dtype}"
                console.print(f"\nDISAGREES {where}\n{failure}", markup=False)
    for verdict in result.verdicts:
        if not verdict.as_expected:
            console.print()
            print_verdict(verdict)
    _print_summary(console, result)


WIDTH = 80
"""Columns of the screen that `verify` fits."""


def _invariant_lines(result: Verification) -> Iterator[str]:
    """Each stated invariant: where it holds, and a witness where it does not."""
    from adaface_ref.evidence.verify import INVARIANTS

    for name, invariant in INVARIANTS.items():
        mine = [v for v in result.verdicts if v.claim.id.partition("-")[0] == name]
        counts = Counter(verdict.name for verdict in mine)
        told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        yield _fitted(f"{name} {invariant.sentence} [{told}]")
        for refuted, first in ((False, invariant.true), (True, invariant.false)):
            alike = [v for v in mine if (v.witness is not None) == refuted]
            alike.sort(key=lambda verdict: verdict.claim.id != first)
            if not alike:
                continue
            claim = alike[0].claim
            where = f"{claim.loss} {claim.profile}"
            yield _fitted(f"   {alike[0].name:<8} {where}: {_statement(claim)}")
            if refuted:
                yield _fitted(
                    f"            {_evidence(alike[0]).replace(chr(10), ', ')}"
                )


def _loss_lines(result: Verification) -> Iterator[str]:
    """Each loss: the worst share of the allowed error in all that was compared."""
    yield "SymPy, NumPy and torch: worst difference as a share of what is allowed"
    for loss in dict.fromkeys(row.cell.loss for row in result.agreements):
        rows = [row for row in result.agreements if row.cell.loss == loss]
        worst = max(row.worst.ratio for row in rows)
        rules = {row.cell.profile.partition(":")[0] for row in rows}
        values = sum(row.compared for row in rows)
        wrong = "" if all(row.agrees for row in rows) else "  DISAGREES"
        of = f"{len(rules)} profile{'s' * (len(rules) > 1)}"
        yield f"   {loss:<16}{worst:.2f}   {values:>9,} values, {of}{wrong}"


def _fitted(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 4].rstrip() + " ..."


def _agreement_table(result: Verification) -> Table:
    devices = sorted({row.device for row in result.agreements if row.form == "torch"})
    table = make_table(
        "Agreement with the spec: worst error as a share of the allowed one\n"
        f"(detached gradients included; torch on {', '.join(devices)})",
        "loss",
        "profile",
    )
    for head in ("numpy\nfloat64", *(f"torch\n{dtype}" for dtype in DTYPES), "values"):
        table.add_column(head, justify="right")
    groups: dict[tuple[str, str], list[Any]] = {}
    for row in result.agreements:
        rule = row.cell.profile.partition(":")[0]
        groups.setdefault((row.cell.loss, rule), []).append(row)
    for (loss, rule), rows in groups.items():
        shares = [_share(rows, "numpy", "float64")]
        shares += [_share(rows, "torch", dtype) for dtype in DTYPES]
        values = sum(row.compared for row in rows)
        add_row(table, loss, rule, *shares, f"{values:,}")
    return table


def _share(rows: list[Any], form: str, dtype: str) -> str:
    chosen = [row for row in rows if row.form == form and row.dtype == dtype]
    worst: list[Judgement] = [row.worst for row in chosen]
    share = max((judgement.ratio for judgement in worst), default=float("nan"))
    return f"{share:.2f}" + ("" if all(row.agrees for row in chosen) else " !")


def print_claims(verdicts: Sequence[Verdict], details: bool) -> None:
    """Prints verdicts as a table, then what is not as it should be, at length.

    Args:
        verdicts: what was found.
        details: whether to print all of them at length.
    """
    console = open_console()
    if not details:
        console.print(_claim_table("Claims, each with its domain", verdicts))
    for verdict in verdicts:
        if details or not verdict.as_expected:
            console.print()
            print_verdict(verdict)
    console.print(f"\n{_count_of(verdicts)}", markup=False)


def _claim_table(title: str, verdicts: Sequence[Verdict]) -> Table:
    table = make_table(title)
    table.add_column("claim, reading", overflow="fold", ratio=5)
    table.add_column("loss, profile, domain", overflow="fold", ratio=6)
    table.add_column("verdict, evidence", overflow="fold", ratio=5)
    table.add_column("s", justify="right")
    table.expand = True
    for verdict in verdicts:
        claim = verdict.claim
        name = verdict.name if verdict.as_expected else f"{verdict.name} !"
        where = f"{claim.loss} {claim.profile}\n" if claim.loss else ""
        add_row(
            table,
            "\n".join(filter(None, [claim.id, _statement(claim), claim.reading])),
            where + (verdict.domain or "none"),
            f"{name}\n{_evidence(verdict)}",
            f"{verdict.seconds:.1f}",
        )
    return table


def _statement(claim: Claim) -> str:
    return " ".join(claim.statement.split())


def _evidence(verdict: Verdict) -> str:
    lines = [verdict.evidence]
    if verdict.witness is not None:
        point, matters = verdict.witness.point, verdict.witness.matters
        lines = [f"at {name} = {point[name]}" for name in matters] or ["anywhere"]
    whole = [row for row in verdict.sweeps if row.holds == row.total]
    for dtype in dict.fromkeys(row.dtype for row in whole):
        rows = [row for row in whole if row.dtype == dtype]
        made = {row.made_by for row in rows if row.kept}
        kept = f", kept from {', '.join(sorted(made))}" if made else ""
        lines.append(f"EXHAUSTED {sum(r.total for r in rows):,} {dtype}{kept}")
    return "\n".join(lines)


def _count_of(verdicts: Sequence[Verdict]) -> str:
    names = [verdict.name for verdict in verdicts]
    counts = ", ".join(f"{names.count(n)} {n}" for n in dict.fromkeys(sorted(names)))
    unexpected = sum(not verdict.as_expected for verdict in verdicts)
    good = "all as expected" if not unexpected else f"{unexpected} NOT AS EXPECTED"
    return f"{len(verdicts)} claims: {counts}: {good}."


def print_verdict(verdict: Verdict) -> None:
    """Prints one verdict at length.

    Args:
        verdict: what was found.
    """
    claim = verdict.claim
    lines = [f"{verdict.name} {claim.id}".rstrip()]
    if claim.expected and not verdict.as_expected:
        lines[0] += f", but expected {claim.expected}"
    parts = {
        "claim": claim.statement if claim.statement != claim.formula else "",
        "source": claim.source,
        "reading": claim.reading,
        "formula": claim.formula,
        "loss": f"{claim.loss}, profile {claim.profile}" if claim.loss else "",
        "shared": _shared(claim) if claim.formula else "",
        "domain": verdict.domain,
        "evidence": _evidence_at_length(verdict),
        "found": verdict.detail,
    }
    for name, text in parts.items():
        if text:
            lines += _indent(name, text)
    for line in _ends_of(verdict):
        lines += _wrap(line, "  ")
    open_console().print("\n".join(lines), markup=False)


def _shared(claim: Claim) -> str:
    """What a formula's other losses take from the claim's own, and what not."""
    told = []
    own = {symbol.name for symbol in LOSSES[claim.loss].parameters}
    for other in losses_of(parse_formula(claim.formula), claim.loss)[1:]:
        names = [symbol.name for symbol in LOSSES[other].parameters]
        shared = ", ".join(name for name in names if name in own)
        rest = ", ".join(name for name in names if name not in own)
        line = f"{other} takes {shared} as {claim.loss} has them"
        told.append(line + f", and {rest} of its own" * bool(rest))
    return "; ".join(told)


def _evidence_at_length(verdict: Verdict) -> str:
    parts = [verdict.evidence]
    if verdict.points and verdict.name != "REFUTED" and verdict.domain:
        parts.append(f"{verdict.points:,} points, {verdict.certified:,} by balls")
    if verdict.volume:
        parts.append(f"a proof left {verdict.volume:.3g} of the box open")
    parts.append(f"seed {verdict.seed}, {verdict.seconds:.1f} s")
    return "; ".join(part for part in parts if part)


def _indent(name: str, text: str) -> list[str]:
    return _wrap(" ".join(text.split()), f"  {name}: ")


def _wrap(text: str, first: str) -> list[str]:
    return textwrap.wrap(text, 80, initial_indent=first, subsequent_indent=" " * 6)


def _ends_of(verdict: Verdict) -> list[str]:
    if verdict.witness is not None:
        return verdict.witness.lines()
    rows = [
        f"every {row.dtype} cosine: holds at {row.holds:,} of {row.total:,}"
        + (f", kept from {row.made_by}" if row.kept else "")
        + f" ({row.domain})"
        for row in verdict.sweeps
    ]
    if verdict.name in ("TESTED", "OPEN"):
        rows += [f"open: {_place(place)}" for place in verdict.places]
    return rows


def _place(place: Mapping[str, tuple[float, float]]) -> str:
    return ", ".join(f"{name} in {_interval(*ends)}" for name, ends in place.items())


def _interval(low: float, high: float) -> str:
    """With six digits, or as many as tell its ends apart."""
    short = f"{low:.6g}", f"{high:.6g}"
    first, last = short if short[0] != short[1] else (repr(low), repr(high))
    return f"[{first}, {last}]"


def _print_summary(console: Console, result: Verification) -> None:
    compared = sum(row.compared for row in result.agreements)
    certified = sum(row.certified for row in result.agreements)
    disagree = sum(not row.agrees for row in result.agreements)
    unexpected = sum(not verdict.as_expected for verdict in result.verdicts)
    forms = "all agree" if not disagree else f"{disagree} DISAGREE"
    verdicts = "all as expected" if not unexpected else f"{unexpected} NOT AS EXPECTED"
    console.print(
        f"{compared:,} values compared, {certified:,} certified by balls: {forms}.\n"
        f"{len(result.verdicts)} verdicts: {verdicts}. "
        f"Seed {result.seed}, effort {result.effort}."
    )


def print_point(loss: str, profiles: list[str], point: Mapping[str, float]) -> None:
    """Prints every quantity at one point, profiles that agree once.

    Args:
        loss: a loss id.
        profiles: profile strings.
        point: all inputs by name.
    """
    console = open_console()
    table = make_table(f"{LOSSES[loss].title} at", "input", "decimal", "hexadecimal")
    for name, value in point.items():
        add_row(table, name, repr(value), value.hex())
    console.print(table)
    from adaface_ref.evidence.truth.point import quantities_at

    alike: dict[tuple[Any, ...], list[str]] = {}
    for profile in profiles:
        alike.setdefault(tuple(quantities_at(loss, profile, point)), []).append(profile)
    for rows, names in alike.items():
        console.print(f"\n{', '.join(names)}")
        for row in rows:
            line = f"{row.quantity:<15}{row.value!r:<26}{row.value.hex():<26}"
            console.print((line + ", ".join(row.flags)).rstrip(), markup=False)
            console.print(f"{'':<15}{row.enclosure}", markup=False)
