"""CPU and CUDA give the same values.

Why: A head that is tested on a CPU trains on a GPU.

Breaks: Matrix products in TF32 keep ten bits, and a tensor made on the wrong device or
never filled shows only there.

Mend: Make tensors on the device of the cosines, fill them, and leave TF32 off for
cosines.
"""

from __future__ import annotations

from adaface_ref.gate.checks.machines.answers import SIZE
from adaface_ref.gate.checks.needs import CUDA
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.fresh_head import fresh_head_of, inputs_of, ordinary
from adaface_ref.gate.session.scripts import ending, script
from adaface_ref.report.catalogue import Row
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """The same rows on both devices."""
    session = evidence.session
    here, there = (fresh_head_of(session, device=device) for device in ("cpu", "cuda"))
    rows = ordinary(here, SIZE)
    found = there.difference(there.read(rows), here.read(rows))
    if found is None:
        return Result(OK, f"{SIZE} rows are the same on both", SIZE)
    lines = [ending(here, rows, found.name, found.row, found.place)]
    moves = (
        "head = head.cuda() if isinstance(head, torch.nn.Module) else head",
        "torch.set_default_device('cuda')",
    )
    source = script(here, rows, lines, prepare=moves)
    finding = wrong_value(
        f"{claim} [{found.name}]",
        inputs_of(rows, found.row, rows=SIZE, place=found.place),
        here.dtype,
        found.got,
        found.want,
        found.allowed,
        "a kernel of lower precision (TF32), or memory that is read before it is set",
        source,
    )
    return Result(FAILED, "CUDA gives other values", SIZE, findings=(finding,))


ROW = Row(judge, needs=(CUDA,))
