"""The gate on heads that are right and on heads that are wrong, on the device."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from cuda_parts.work import Work

AT_ONCE = 3
"""Heads that are judged at the same time, at most."""

ON_BOTH = "cpu-against-cuda"
"""The check that runs a head on both devices."""


class Head(NamedTuple):
    """A head and the verdict that it must get.

    Args:
        target: as `adaface-ref gate` takes it.
        loss: what it is said to be.
        exit_code: 0 or 1.
        caught_by: a check that must fail.
        device: where it is judged, if not where all are.
    """

    target: str
    loss: str
    exit_code: int = 0
    caught_by: str = ""
    device: str = ""


HEADS = (
    Head("adaface_ref.torch_heads:ArcFace", "arcface"),
    Head("zoo.wrong.heads:cos_theta_minus_m", "arcface", 1, "target-logit"),
    Head("adaface_ref.torch_heads:AdaFace", "adaface"),
    Head("adaface_ref.torch_heads:MagFace", "magface"),
    Head("adaface_ref.torch_heads:CurricularFace", "curricularface"),
    Head("zoo.wrong.heads:others_without_gradient", "cosface", 1, "other-gst"),
    # Judged on the CPU, where nothing but the comparison can see its fault.
    Head("cuda_parts.heads:OtherOnCuda", "cosface", 1, ON_BOTH, "cpu"),
)
REHEARSED = HEADS[:2]


def run(work: Work) -> list[str]:
    """Judges them, a few at once, and says which verdict is another."""
    heads = REHEARSED if work.rehearse else HEADS
    rows: list[dict[str, Any]] = []
    unexpected: list[str] = []
    with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
        found = pool.map(lambda head: judged(head, work), heads)
        for head, row in zip(heads, found, strict=True):
            rows.append(row)
            work.keep(heads=rows)
            unexpected += problems(head, row, rehearse=work.rehearse)
    return unexpected


def judged(head: Head, work: Work) -> dict[str, Any]:
    """What the gate says of a head."""
    name = head.target.partition(":")[2]
    file = work.file.with_name(f"gate-{name}.json")
    device = head.device or work.device
    command = [sys.executable, "-m", "adaface_ref", "gate", head.target]
    command += ["--loss", head.loss, "--effort", "quick", "--device", device]
    command += ["--time-limit", str(max(1.0, work.seconds / 3)), "--json", str(file)]
    command += ["--findings", str(work.file.with_name(f"findings-{name}"))]
    paths = os.pathsep.join((os.environ["PYTHONPATH"], str(work.checkout / "tests")))
    ran = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": paths},
        cwd=work.file.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    row = {**head._asdict(), "expected": head.exit_code, "device": device}
    row |= {"exit_code": ran.returncode}
    print(f"{head.target} on {device}: exit code {ran.returncode}", flush=True)
    if ran.returncode != head.exit_code or not file.exists():
        print(ran.stdout, flush=True)
    if file.exists():
        found = json.loads(file.read_text(encoding="utf-8"))
        checks = {outcome["check"]: outcome for outcome in found["outcomes"]}
        row["verdict"], row["identity"] = found["verdict"], found["identity"]
        row["not_ok"] = {
            check: outcome["status"]
            for check, outcome in checks.items()
            if outcome["status"] not in ("ok", "skipped")
        }
        seen = checks.get(ON_BOTH, {"status": "absent", "detail": ""})
        row[ON_BOTH] = {name: seen[name] for name in ("status", "detail")}
    return row


def problems(head: Head, row: dict[str, Any], *, rehearse: bool) -> list[str]:
    """Why a verdict is not the one that the head must get."""
    found = []
    if row["exit_code"] != head.exit_code:
        code = f"exit code {row['exit_code']}, but should be {head.exit_code}"
        found.append(f"{head.target}: {code}")
    if head.caught_by and row.get("not_ok", {}).get(head.caught_by) != "failed":
        found.append(f"{head.target}: not caught by {head.caught_by}")
    both = row.get(ON_BOTH, {}).get("status")
    if not rehearse and not head.exit_code and both != "ok":
        found.append(f"{head.target}: {ON_BOTH} is {both}, but should be ok")
    return found
