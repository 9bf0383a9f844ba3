"""Scripts to paste for faults that need a whole batch, or the head more than once."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from adaface_ref.gate.head.door import Door
from adaface_ref.gate.reading.reduction import MEAN
from adaface_ref.gate.session.fresh_head import FreshHead, by_class
from adaface_ref.gate.session.session import Rows

GST = """\
leaf = rows.clone().requires_grad_()
logits, _ = run(leaf * 1, labels{extra})
share = torch.softmax(logits.detach().double(), dim=1)[{row}]
share[labels[{row}]] = 0
share[labels[{row}]] = -share.sum()  # P - 1, without cancellation
share = share.roll(-int(labels[{row}]))  # the target first
jacobian = []
for k in range(len(share)):
    logit = logits.gather(1, (labels[:, None] + k) % len(share)).sum()
    (gradient,) = torch.autograd.grad(logit, leaf, retain_graph=True, allow_unused=True)
    jacobian.append(leaf[{row}] * 0 if gradient is None else gradient[{row}])
print((share @ torch.stack(jacobian).double())[{klass}].item())"""

LOSS = """\
leaf = rows.clone().requires_grad_()
_, loss = run(leaf * 1, labels{extra})
(gradient,) = torch.autograd.grad({loss}, leaf)
print(gradient[{row}, {klass}].item())"""

LOGIT = """\
logits, _ = run(rows, labels{extra})
print(logits[{row}, {klass}].item())"""


def script(
    fresh: FreshHead,
    rows: Rows,
    lines: Sequence[str],
    door: Door | None = None,
    prepare: Sequence[str] = (),
) -> str:
    """A script that builds the head once and has a function to run it.

    Args:
        fresh: the head's.
        rows: what `rows`, `labels` and the rows' own quantities are.
        lines: what follows.
        door: another than the session's.
        prepare: lines that follow the head's making.

    Returns:
        Source text; `run(rows, labels, ...)` gives the logits and the result.
    """
    session, dtype = fresh.session, fresh.dtype
    body = (door or session.door).source(fresh.classes, dtype)
    running = [line for line in body if not line.startswith("head")]
    if session.column and rows.given.keys() & {"norms"}:
        running.insert(0, "norms = norms[:, None]")
    own = any(line.startswith("result = ") for line in running)
    running.append("return logits, " + ("result" if own else "logits"))
    matrix = by_class(rows.cosines, rows.labels)
    return "\n".join(
        [
            *(["import math"] if any("math." in line for line in body) else []),
            "import torch",
            *session.target.import_lines,
            "",
            "torch.manual_seed(0)",
            *making_lines(fresh, door),
            *prepare,
            "",
            "",
            f"def run(cosine, labels{extra(rows)}):",
            *(textwrap.indent(line, "    ") for line in running),
            "",
            "",
            f"rows = {tensor(matrix, dtype)}",
            f"labels = torch.tensor({rows.labels.tolist()})",
            *(f"{name} = {tensor(v, dtype)}" for name, v in rows.given.items()),
            *lines,
            "",
        ]
    )


def making_lines(fresh: FreshHead, door: Door | None = None) -> list[str]:
    """The lines that make the head, in the mode that it is read in."""
    body = (door or fresh.session.door).source(fresh.classes, fresh.dtype)
    making = [line for line in body if line.startswith("head")]
    if fresh.settles and "head.eval()" not in making:
        making.append("head.eval()")
    return making


def ending(fresh: FreshHead, rows: Rows, name: str, row: int, place: int) -> str:
    """The lines that print a logit or a GST of one row of a batch."""
    klass = (int(rows.labels[row]) + place) % fresh.classes
    evaluation = fresh.opened.evaluate(fresh.batch(rows))
    names = {"extra": extra(rows), "row": row}
    if name == "logit":
        return LOGIT.format(klass=klass, **names)
    if evaluation.loss is None:
        return GST.format(klass=place, **names)
    mean = evaluation.reduction == MEAN
    loss = f"loss.mean() * {len(rows.labels)}" if mean else "loss.sum()"
    return LOSS.format(klass=klass, loss=loss, **names)


def extra(rows: Rows) -> str:
    """The further arguments of `run`."""
    return "".join(f", {name}" for name in rows.given)


def tensor(values: np.ndarray, dtype: str) -> str:
    """A tensor as source text."""
    return f"torch.tensor({values.tolist()!r}, dtype=torch.{dtype})"


def training_script(
    fresh: FreshHead,
    given: Mapping[str, torch.Tensor],
    call: str,
    lines: Sequence[str],
    prepare: Sequence[str] = (),
) -> str:
    """A script that calls the head on embeddings, its weights drawn with seed 0.

    Args:
        fresh: the head's.
        given: tensors by name.
        call: the call of the head.
        lines: what follows; they print.
        prepare: lines that follow the head's making.

    Returns:
        Source text; `run()` calls the head.
    """
    session = fresh.session
    body = session.door.source(fresh.classes, fresh.dtype)
    tensors = [
        f"{name} = torch.tensor({value.tolist()!r}, dtype={value.dtype})"
        for name, value in given.items()
    ]
    return "\n".join(
        [
            *(["import math"] if any("math." in line for line in body) else []),
            "import torch",
            *session.target.import_lines,
            "",
            "torch.manual_seed(0)",
            *making_lines(fresh),
            *prepare,
            *tensors,
            "",
            "",
            "def run():",
            f"    result = {call}",
            "    while isinstance(result, (tuple, list)):",
            "        result = result[0]",
            "    return result",
            "",
            "",
            *lines,
            "",
        ]
    )
