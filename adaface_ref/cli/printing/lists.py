"""What `list` shows, section by section; each imports what it shows, and no more."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from rich.console import Console

from adaface_ref.cli.printing.console import add_row, make_table, open_console
from adaface_ref.report.catalogue import GATE, PORTS, catalogue


def _list_losses() -> None:
    from adaface_ref.points import recommended
    from adaface_ref.spec.losses import LOSSES

    console = open_console()
    console.print("Losses: target logit / scale, recommended values, source")
    for row in LOSSES.values():
        usual = recommended(row.id)
        names = [symbol.name for symbol in row.parameters]
        shown = [f"{n}={usual[n]:g}" if n in usual else n for n in names]
        lines = [f"{row.target}", ", ".join(shown)]
        if row.hard_other is not None:
            lines.append(f"hard other classes: {row.hard_other}")
        lines += [
            f"held constant: {s} = {meaning}"
            for s, meaning in row.held_constant.items()
        ]
        for line in (row.id, *(f"  {line}" for line in (*lines, row.source))):
            _print_wrapped(console, line)


def _print_wrapped(console: Console, line: str) -> None:
    for part in textwrap.wrap(line, 80, subsequent_indent="    "):
        console.print(part, markup=False)


def _list_profiles() -> None:
    from adaface_ref.spec.losses import LOSSES
    from adaface_ref.spec.profiles import RULES

    console = open_console()
    console.print("\nProfiles")
    for rule in RULES.values():
        _print_wrapped(console, f"{rule.id}: {rule.words}")
        _print_wrapped(console, f"  defined for {', '.join(rule.losses)}")
        _print_wrapped(console, f"  seen in {rule.seen_in}")
    console.print(
        "Fields after a colon: cosine=EPS (clamp), angle=EPS (clip only), detached. "
        "clip has cosine=1e-3,angle=1e-3."
    )
    rules = RULES.values()
    cells = [f"{loss} {r.id}" for loss in LOSSES for r in rules if loss not in r.losses]
    console.print(f"Not defined: {', '.join(cells)}.")


def _list_quantities() -> None:
    from adaface_ref.points import interval
    from adaface_ref.spec.symbols import QUANTITIES

    table = make_table("\nQuantities", "name", "printed", "domain", "usual", "meaning")
    for row in QUANTITIES.values():
        usual = "" if row.recommended is None else str(float(row.recommended))
        add_row(table, row.name, row.printed, interval(row.domain), usual, row.meaning)
    open_console().print(table)


def _list_checks() -> None:
    for whose, package in (("the gate", GATE), ("ports", PORTS)):
        table = make_table(f"\nChecks of {whose}", "id", "sentence")
        for entry in catalogue(package):
            add_row(table, entry.id, entry.claim)
        open_console().print(table)


def _list_claims() -> None:
    from adaface_ref.spec.language.files import our_claims

    table = make_table("\nClaims", "id", "statement", "expected")
    for claim in our_claims():
        add_row(table, claim.id, " ".join(claim.statement.split()), claim.expected)
    open_console().print(table)


LISTS: dict[str, Callable[[], None]] = {
    "losses": _list_losses,
    "profiles": _list_profiles,
    "quantities": _list_quantities,
    "checks": _list_checks,
    "claims": _list_claims,
}
"""What `list` shows, section by section."""
