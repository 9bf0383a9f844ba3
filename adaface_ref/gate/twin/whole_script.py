"""A script to paste that shows where a whole head departs: torch and the head alone."""

from __future__ import annotations

import numpy as np

from adaface_ref.gate.reading import reduction
from adaface_ref.gate.session.fresh_head import FreshHead
from adaface_ref.gate.session.scripts import extra, script
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.gate.twin.records import EMBEDDINGS, VALUES, Case, Departure
from adaface_ref.numpy_reference.arguments import Array

LARGEST = 2000
"""Numbers that a script may hold; a larger batch is drawn again by `replay`."""


def script_of(session: Session, departure: Departure) -> str:
    """Lines that run the head on the drawn batch and print the element.

    Args:
        session: the head.
        departure: where it departs.

    Returns:
        Source text; for a large batch a comment that says what draws it again.
    """
    case = departure.case
    if case.rows is not None:
        return _script_of_cosines(session, departure, case.rows)
    whole = session.door.whole
    assert whole is not None
    if case.given.weights.size + case.given.embeddings.size > LARGEST:
        return "# Too many numbers to paste: adaface-ref replay draws them again.\n"
    making = whole.making(case.shape.classes, case.shape.size, case.dtype)
    given = _given(session, case)
    call = whole.call.source("head", {name: name for name in given})
    lines = [
        *(["import math"] if "math." in making else []),
        "import torch",
        *session.target.import_lines,
        "",
        "torch.manual_seed(0)",
        f"head = {making}",
        *_held(session),
        *(f"{name} = {text}" for name, text in given.items()),
        "embeddings.requires_grad_()",
        *([f"{call}  # before a step of training"] if case.after_step else []),
        *_weights(case),
        f"value = {call}{case.judged}",
    ]
    return "\n".join([*lines, *_ending(departure)]) + "\n"


def _script_of_cosines(session: Session, departure: Departure, rows: Rows) -> str:
    """The same for a head that is given cosines."""
    case, place = departure.case, ", ".join(map(str, departure.place))
    if rows.cosines.size > LARGEST:
        return "# Too many numbers to paste: adaface-ref replay draws them again.\n"
    fresh = FreshHead(session, case.shape.classes, case.dtype, session.device)
    evaluation = fresh.opened.evaluate(fresh.batch(rows))
    value = "logits"
    if evaluation.loss is not None:
        mean = evaluation.reduction == reduction.MEAN
        value = "given.mean()" if mean else f"given.sum() / {case.shape.rows}"
    run = f"logits, given = run(leaf * 1, labels{extra(rows)})"
    if case.upstream.shape == rows.labels.shape and case.shape.rows > 1:
        value = "given"  # a loss for each row, each with an upstream gradient
    lines = ["leaf = rows.clone().requires_grad_()", run, f"value = {value}"]
    flat = "" if len(departure.place) == 2 else ".reshape(-1)"
    shown = f"value{flat}[{place}]"
    if departure.what != VALUES:
        above = _tensor(case.upstream, case.dtype)
        lines.append(f"value.backward({above}.reshape(value.shape))")
        shown = f"leaf.grad[{place}]"
    return script(fresh, rows, [*lines, f"print({shown}.item())"])


def _given(session: Session, case: Case) -> dict[str, str]:
    """What the head's forward is given, as source text by meaning."""
    given, whole = case.given, session.door.whole
    assert whole is not None
    column = whole.column or session.column
    columns = {"embeddings": given.embeddings, **given.columns}
    found = {name: _tensor(values, case.dtype) for name, values in columns.items()}
    if given.norms is not None:
        found["norms"] = _tensor(given.norms, case.dtype) + "[:, None]" * column
    found["labels"] = f"torch.tensor({given.labels.tolist()})"
    wanted = whole.call.meanings.values()
    return {name: text for name, text in found.items() if name in wanted}


def _held(session: Session) -> list[str]:
    """What holds statistics where they are judged."""
    if session.hold is None:
        return []
    return ["head.eval()"] + [
        f"head.{name} = head.{name} * 0 + {value!r}"
        for name, value in session.hold.numbers.items()
    ]


def _weights(case: Case) -> list[str]:
    """The class weights, in the head's own layout."""
    return [
        f"with torch.no_grad():\n    head.{name}.copy_({_tensor(values, case.dtype)})"
        for name, values in case.parameters.items()
    ]


def _ending(departure: Departure) -> list[str]:
    """The lines that print the element."""
    case, place = departure.case, ", ".join(map(str, departure.place))
    if departure.what == VALUES:
        flat = "" if len(departure.place) == 2 else ".reshape(-1)"
        return [f"print(value{flat}[{place}].item())"]
    upstream = f"{_tensor(case.upstream, case.dtype)}.reshape(value.shape)"
    lines = [f"value.backward({upstream})"]
    if departure.what == EMBEDDINGS:
        return [*lines, f"print(embeddings.grad[{place}].item())"]
    name, index = departure.kept
    return [*lines, f"print(head.{name}.grad[{', '.join(map(str, index))}].item())"]


def _tensor(values: Array, dtype: str) -> str:
    return f"torch.tensor({np.asarray(values).tolist()!r}, dtype=torch.{dtype})"
