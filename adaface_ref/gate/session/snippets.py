"""Lines to paste: they need torch and the head, and print the value that is wrong."""

from __future__ import annotations

import numpy as np

from adaface_ref.gate.session.session import Rows, Session

LOGIT = "print(logits[0, {place}].item())"

AFTER = "print(cosine[0, {place}].item())  # as the head left it"

GST = """\
share = torch.softmax(logits.detach().double(), dim=1)[0]
share[labels] = 0
share[labels] = -share.sum()  # P - 1, without cancellation
jacobian = [
    torch.autograd.grad(logit, leaf, retain_graph=True)[0][0] for logit in logits[0]
]
print((share @ torch.stack(jacobian).double())[{place}].item())"""

LOSS = """\
(gradient,) = torch.autograd.grad(result.mean(), leaf)
print(gradient[0, {place}].item())"""

ENTROPY = """\
entropy = torch.nn.functional.cross_entropy(logits, labels)
(gradient,) = torch.autograd.grad(entropy, leaf)
print(gradient[0, {place}].item())"""


def snippet(session: Session, rows: Rows, ending: str, place: int) -> str:
    """A script that runs the head on one row and prints one value.

    Args:
        session: the head.
        rows: one row.
        ending: one of the texts above, which print.
        place: of which class, counted from the target.

    Returns:
        Source text.
    """
    classes, dtype = rows.cosines.shape[1], rows.dtype
    label = int(rows.labels[0])
    row = np.roll(rows.cosines[0], label).tolist()
    body = [*session.door.source(classes, dtype)]
    made = next(i for i, line in enumerate(body) if line.startswith("head = ")) + 1
    body[made:made] = session.held_lines(rows)
    maths = ["import math"] if any("math." in line for line in body) else []
    lines = [*maths, "import torch", *session.target.import_lines, ""]
    lines.append(
        f"leaf = torch.tensor([{row!r}], dtype=torch.{dtype}, requires_grad=True)"
    )
    lines.append(f"cosine, labels = leaf * 1, torch.tensor([{label}])")
    for name, value in rows.given.items():
        lines.append(
            f"{name} = torch.tensor([{float(value[0])!r}], dtype=torch.{dtype})"
        )
    lines += [*body, ending.format(place=(label + place) % classes)]
    return "\n".join(lines) + "\n"
