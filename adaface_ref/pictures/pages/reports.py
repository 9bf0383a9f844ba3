"""Reports as self-contained HTML, made from the same data as `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import count
from typing import Any

from adaface_ref.pictures.pages.template import assemble

Data = Mapping[str, Any]


def gate_page(reports: Sequence[Data]) -> str:
    """Verdicts on heads: checks, findings, and the measured GST over the spec's.

    Args:
        reports: reports in their JSON form.

    Returns:
        HTML that loads nothing.
    """
    curves: list[Data] = []
    numbers = count()
    body = [_head(report, curves, numbers) for report in reports]
    return _page("Loss heads against the specification", body, curves)


def claims_page(data: Data) -> str:
    """Verdicts on claims, with their witnesses.

    Args:
        data: what `claims --json` writes.

    Returns:
        HTML that loads nothing.
    """
    told = _expectation(data["as_it_should_be"])
    rows = data["claims"]
    return _page(
        "Claims about the gradient", [told, _overview(rows), *map(_claim, rows)]
    )


def verification_page(data: Data) -> str:
    """Agreement of the three forms, and verdicts on the stated invariants.

    Args:
        data: what `verify --json` writes.

    Returns:
        HTML that loads nothing.
    """
    rows = [
        (
            row["loss"],
            row["profile"],
            f"{row['form']} {row['dtype']}",
            _status("ok" if row["agrees"] else "failed"),
            f"{sum(q['compared'] for q in row['quantities'].values())}",
            _worst(row["quantities"]),
        )
        for row in data["agreement"]
    ]
    names = ("loss", "profile", "form", "agrees", "compared", "worst share of allowed")
    invariants = data["invariants"]
    body = [
        _expectation(data["as_it_should_be"]),
        "<h2>The three stated invariants</h2>",
        _overview(invariants),
        *map(_claim, invariants),
        "<h2>The three forms against each other</h2>",
        _table(names, rows, raw={3}),
        *(_disagreement(row) for row in data["agreement"] if not row["agrees"]),
    ]
    return _page("Verification of the three forms", body)


def _page(title: str, body: Iterable[str], curves: Sequence[Data] = ()) -> str:
    return assemble(
        "report.html",
        data={"curves": list(curves)},
        markup={"title": escape(title), "body": "\n".join(body)},
    )


def _head(report: Data, curves: list[Data], numbers: Iterable[int]) -> str:
    status = "ok" if report["exit_code"] == 0 else "failed"
    settings = ", ".join(f"{k} {v}" for k, v in report["settings"].items())
    lines = [
        f"<h2>{escape(report['target'])} --loss {escape(report['loss'])}</h2>",
        f'<p class="verdict {status}">{escape(report["verdict"])}</p>',
        f"<p>{escape(report['identity'])}</p>",
        f'<p class="soft">{escape(report["reading"])}<br>{escape(settings)}</p>',
    ]
    if not report["curves"]:
        why = "Its GST could not be drawn: see what the checks say of reading it."
        lines.append(f'<p class="soft">{why}</p>')
    for curve in report["curves"]:
        lines.append(f'<div class="curve" data-curve="{len(curves)}"></div>')
        curves.append({**curve, "failing": _failing(report, curve)})
    rows = [
        (_status(o["status"]), o["check"], o["claim"], o["detail"], str(o["compared"]))
        for o in report["outcomes"]
    ]
    names = ("", "check", "claim", "found", "compared")
    lines.append(_table(names, rows, raw={0}))
    for outcome in report["outcomes"]:
        lines += [_finding(outcome, f, numbers) for f in outcome["findings"]]
    return "\n".join(lines)


def _failing(report: Data, curve: Data) -> list[tuple[float, Any]]:
    """Failing GSTs of the target on a curve: found there by a check, or seen apart."""
    found = [
        finding
        for outcome in report["outcomes"]
        if outcome["check"] in ("target-gst", "poles-target")
        for finding in outcome["findings"]
        if _lies_on(curve, finding["inputs"])
    ]
    points = [(f["inputs"]["target_cosine"]["decimal"], f["got"]) for f in found]
    return points + _apart(curve)


def _lies_on(curve: Data, inputs: Data) -> bool:
    held = curve["inputs"]
    same = all(held[name] == inputs[name]["decimal"] for name in held if name in inputs)
    return "target_cosine" in inputs and same


def _apart(curve: Data) -> list[tuple[float, Any]]:
    """Points of the curve itself where the head is off by what an eye would see."""
    columns = zip(curve["target_cosine"], curve["got"], curve["expected"], strict=True)
    return [
        (cosine, got)
        for cosine, got, expected in columns
        if not abs(float(got) - float(expected)) <= 1e-3 * (1 + abs(float(expected)))
    ]


def _finding(outcome: Data, finding: Data, numbers: Iterable[int]) -> str:
    place = f"snippet-{next(iter(numbers))}"
    inputs = [
        (name, str(value["decimal"]), value["hex"])
        for name, value in finding["inputs"].items()
    ]
    values = [
        ("got", str(finding["got"]), ""),
        ("expected", str(finding["expected"]), ""),
        ("error", str(finding["error"]), f"allowed {finding['allowed']}"),
    ]
    told = f"{finding['claim']} Likely cause: {finding['cause']}"
    button = f'<button type="button" data-copy="{place}">Copy the snippet</button>'
    return "\n".join(
        [
            f"<h3>{escape(outcome['status'])} {escape(outcome['check'])}</h3>",
            f"<p>{escape(told)}</p>",
            _table(("input", "decimal", "hex"), [*inputs, *values]),
            f"<p>{button}</p>",
            f'<pre id="{place}">{escape(finding["snippet"])}</pre>',
        ]
    )


def _overview(rows: Sequence[Data]) -> str:
    told = [
        (
            f'<a href="#{escape(row["id"])}">{escape(row["id"])}</a>',
            _verdict(row),
            escape(row["statement"]),
        )
        for row in rows
    ]
    return _table(("claim", "verdict", "statement"), told, raw={0, 1, 2})


def _claim(row: Data) -> str:
    names = ("loss", "profile", "reading", "formula", "domain", "evidence", "source")
    facts = [(name, str(row[name])) for name in names if row.get(name)]
    facts += [("detail", row["detail"])] if row["detail"] else []
    lines = [
        f'<h3 id="{escape(row["id"])}">{escape(row["id"])}: {_verdict(row)}</h3>',
        f"<p>{escape(row['statement'])}</p>",
        _table(("", ""), facts),
    ]
    return "\n".join([*lines, *_witness(row["witness"])])


def _witness(witness: Data | None) -> list[str]:
    if witness is None:
        return []
    rows = [(n, str(v), witness["hex"][n]) for n, v in witness["point"].items()]
    rows += [(name, str(value), "") for name, value in witness["got"].items()]
    passes = witness["passes"]
    if passes is not None:
        rows.append(
            (f"{passes['input']} that passes", str(passes["value"]), passes["hex"])
        )
    return [_table(("witness", "decimal", "hex"), rows)]


def _disagreement(row: Data) -> str:
    rows = [
        (name, str(failure["point"]), str(failure["got"]), str(failure["expected"]))
        for name, quantity in row["quantities"].items()
        for failure in quantity["failures"][:1]
    ]
    title = f"{row['loss']} {row['profile']}, {row['form']} {row['dtype']}"
    names = ("quantity", "at", "got", "expected")
    return f"<h3>{escape(title)}</h3>{_table(names, rows)}"


def _worst(quantities: Mapping[str, Data]) -> str:
    name, worst = max(
        quantities.items(), key=lambda item: float(item[1]["worst_share_of_allowed"])
    )
    return f"{float(worst['worst_share_of_allowed']):.3f} ({name})"


def _expectation(holds: bool) -> str:
    if holds:
        return '<p class="verdict ok">All as it should be.</p>'
    return '<p class="verdict failed">Not all is as it should be.</p>'


def _verdict(row: Data) -> str:
    kind = "expected" if row["as_expected"] else "unexpected"
    but = "" if row["as_expected"] else f", but expected {escape(str(row['expected']))}"
    return f'<span class="status {kind}">{escape(row["verdict"])}{but}</span>'


def _status(status: str) -> str:
    return f'<span class="status {escape(status)}">{escape(status)}</span>'


def _table(
    names: Sequence[str],
    rows: Iterable[Sequence[str]],
    raw: frozenset[int] | set[int] = frozenset(),
) -> str:
    """A table; cells are escaped, but for those in columns that hold markup."""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = [
        "".join(
            f"<td>{cell if place in raw else escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        for row in rows
    ]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'
