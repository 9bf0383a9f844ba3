"""Judges a head at other settings of its own arguments than the recommended one."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from adaface_ref import numpy_reference as reference
from adaface_ref.errors import DomainError
from adaface_ref.evidence.truth.agreement import judge
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.head.adapters import open_door
from adaface_ref.gate.head.door import through_softmax
from adaface_ref.gate.measured.values import HeadTally, compare_block, is_single
from adaface_ref.gate.reading.argument_meanings import MEANT, SYNONYMS, parameters_of
from adaface_ref.gate.session.session import Rows, Session

ROWS = 512
"""Rows at each setting."""

DRAWN = 8
"""Settings in which all arguments differ at once."""

VALUES: Mapping[str, tuple[float, ...]] = {
    "scale": (30.0, 1.0, 64.0, 22.5, 128.0),
    "margin": (0.0, 0.1, 0.45, 1.0),
    "multiplier": (1.0, 0.9, 2.0, 3.0),
    "angular_offset": (0.0, 0.1, 0.45),
    "additive_offset": (0.0, 0.1, 0.35),
    "concentration": (0.1, 1.0),
    "curriculum": (0.0, 0.3),
    "norm_lower": (5.0, 20.0),
    "norm_upper": (100.0, 150.0),
    "margin_lower": (0.0, 0.3),
    "margin_upper": (0.6, 1.0),
}
"""Values that a head must be right at: no margin, a scale of 1, and ordinary ones. From
few values only: Hypothesis also draws constants of the modules that are loaded."""

WHOLE = (1.0, 2.0, 3.0)
"""Multipliers where arcs are pieces."""

SETTINGS = settings(
    max_examples=DRAWN,
    derandomize=False,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    print_blob=False,
    verbosity=Verbosity.quiet,
)


@dataclass
class Tried:
    """What was tried, and the first setting at which the head is wrong.

    Args:
        names: the parameters that were varied.
        settings: how many settings were judged.
        refused: settings that the head refused, in words.
        session: the head where it is wrong, or None.
        check: the value check that found it.
        tally: what that check found.
        cause: the likely cause.
        single: settings at which float32 within a float64 call explains what is off.
    """

    names: tuple[str, ...]
    settings: int = 0
    refused: list[str] = field(default_factory=list)
    session: Session | None = None
    check: str = ""
    tally: HeadTally = field(default_factory=HeadTally)
    cause: str = ""
    single: list[str] = field(default_factory=list)


class _WrongError(Exception):
    """Carries a setting through Hypothesis."""


def try_settings(session: Session, adapter: str | None) -> Tried:
    """Judge a head at other settings.

    Args:
        session: the head, right at the recommended setting.
        adapter: how it is called, where the user said so.

    Returns:
        What was tried; the simplest setting at which it is wrong, if any.
    """
    names = varied(session)
    found = Tried(names)
    usual = {name: session.request.parameters[name] for name in names}
    alone = [_own_defaults(session, names)]
    alone += [{name: value} for name in names for value in _values(session, name)]
    for changed in alone:
        if changed and _is_wrong(session, adapter, {**usual, **changed}, found):
            return found
    if len(names) < 2:
        return found
    drawn = st.fixed_dictionaries(
        {name: st.sampled_from((usual[name], *_values(session, name)))
         for name in names}
    )  # fmt: skip

    @seed(session.seed)
    @SETTINGS
    @given(drawn)
    def all_at_once(setting: dict[str, float]) -> None:
        if _is_wrong(session, adapter, setting, found):
            raise _WrongError

    try:
        all_at_once()
    except _WrongError:
        return found
    return found


def varied(session: Session) -> tuple[str, ...]:
    """Parameters that an argument sets, and the user does not.

    Args:
        session: the head.
    """
    names = (*reference.PARAMETERS[session.loss], "concentration")
    free = session.door.mapped - session.request.chosen
    return tuple(
        name
        for name in names
        if name in session.request.parameters and name in VALUES
        and free & {name, *_synonyms(session.loss, name)}
    )  # fmt: skip


def _synonyms(loss: str, name: str) -> set[str]:
    return {meaning for (of, meaning), own in SYNONYMS.items()
            if of == loss and own == name}  # fmt: skip


def _values(session: Session, name: str) -> tuple[float, ...]:
    values = WHOLE if session.definition.has_arcs else VALUES[name]
    values = values if name == "multiplier" else VALUES[name]
    usual = session.request.parameters[name]
    return tuple(value for value in values if value != usual)


def _own_defaults(session: Session, names: tuple[str, ...]) -> dict[str, float]:
    """The defaults of the head's own arguments, as far as they set a parameter."""
    target: Any = session.target.object
    found = {}
    for parameter in parameters_of(target):
        name = MEANT.get(parameter.name, parameter.name)
        name = SYNONYMS.get((session.loss, name), name)
        value = parameter.default
        known = name in names and value is not inspect.Parameter.empty
        if known and isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = float(value)
    usual = session.request.parameters
    return found if any(usual[name] != value for name, value in found.items()) else {}


def _is_wrong(
    session: Session, adapter: str | None, setting: Mapping[str, float], found: Tried
) -> bool:
    """Judge one setting, and keep it if the head is wrong there."""
    words = ", ".join(f"{name} = {value:g}" for name, value in setting.items())
    try:
        there = _at(session, adapter, setting)
        rows = there.draw(there.dtypes[-1], ROWS, 77)
        tallies = compare_block(there, rows)
    except DomainError:
        return False  # bounds in the wrong order, say
    except SubjectError:
        if words not in found.refused:
            found.refused.append(words)
        return False
    found.settings += 1
    for check, tally in tallies.items():
        if tally.failed and is_single(there, tally):
            found.single += [words] * (words not in found.single)
        elif tally.failed:
            found.session, found.check, found.tally = there, check, tally
            found.cause = _cause(session, there, setting, rows)
            return True
    return False


def _at(session: Session, adapter: str | None, setting: Mapping[str, float]) -> Session:
    parameters = {**session.request.parameters, **setting}
    if session.definition.has_arcs and "multiplier" in parameters:
        parameters["multiplier"] = int(parameters["multiplier"])
    request = replace(session.request, parameters=parameters)
    door = open_door(session.target, request, adapter)
    if session.door.form.through_softmax:
        door = through_softmax(door)
    return replace(session, request=request, door=door, _heads={})


def _cause(
    session: Session, there: Session, setting: Mapping[str, float], rows: Rows
) -> str:
    """Whether an argument without effect explains what the head gives, or ""."""
    usual = session.request.parameters
    changed = [name for name, value in setting.items() if value != usual[name]]
    reading = there.read(rows)
    quantity, got = "gst", reading.gst[:, 0]
    if reading.observed:
        quantity, got = "logit", reading.logits[:, 0]
    inside = np.abs(rows.columns["target_cosine"]) < 1
    for names in _without(changed):
        kept = {name: np.full_like(rows.columns["scale"], usual[name])
                for name in names if name in rows.columns}  # fmt: skip
        whole = {**rows.columns, **kept}
        columns = {name: column[inside] for name, column in whole.items()}
        question = session.question(quantity, reading.dtype)
        if kept and not judge(question, columns, got[inside]).failures:
            told = " and ".join(f"{name} = {usual[name]:g}" for name in names)
            return f"the argument has no effect: the values are those of {told}"
    return ""


def _without(changed: list[str]) -> Iterator[list[str]]:
    """Each of some parameters alone, then all of them."""
    yield from ([name] for name in changed)
    if len(changed) > 1:
        yield changed
