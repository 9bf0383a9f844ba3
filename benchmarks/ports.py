"""How many points a second go through the pipe to a port, there and back.

Run from the checkout, once for each port; its figures are kept under its name:
python benchmarks/ports.py -- ./port
python benchmarks/ports.py -- python tests/ports_zoo/numpy_port.py
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from adaface_ref.points import block
from adaface_ref.ports.comparison.questions import SIZE
from adaface_ref.ports.harness import LIMIT, Wish, judge_port
from adaface_ref.ports.pipe.port import Port, values_of
from adaface_ref.ports.pipe.process import Child
from adaface_ref.ports.pipe.protocol import Request

RESULTS = Path(__file__).parent / "results" / "ports.json"
ROUNDS = 15
QUANTITIES = ("logit", "slope", "probability", "gst", "other_logit", "other_gst")


def speed(port: Port, request: Request) -> float:
    """Points a second, encoded, sent, answered and decoded: the median."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        values_of(port.bits(request), request.dtype)
        seconds.append(time.perf_counter() - began)
    return request.size / statistics.median(seconds)


def measure(command: list[str]) -> tuple[str, dict[str, Any]]:
    """A port's figures, and its name."""
    found: dict[str, Any] = {}
    with Child(command, LIMIT) as child:
        port = Port(child)
        profile = port.hello.losses["adaface"][0]
        for dtype in port.hello.dtypes:
            columns = block("adaface", 0, profile=profile, size=SIZE, dtype=dtype)
            every = tuple(q for q in QUANTITIES if q in port.hello.quantities)
            for quantities in (("gst",), every):
                request = Request("adaface", profile, dtype, quantities, columns)
                key = f"adaface {profile}, {dtype}, {'+'.join(quantities)}"
                found[key] = round(speed(port, request))
        port.bye()
        name = f"{port.hello.name} ({port.hello.language})"
    began = time.perf_counter()
    verdict = judge_port(command, Wish())
    seconds = time.perf_counter() - began
    codes = [report.exit_code for report in verdict.all]
    whole = {"cells": len(verdict.reports), "seconds": round(seconds, 1)}
    whole["cells that conform"] = codes[1:].count(0)
    return name, {"points a second": found, "adaface-ref port, quick": whole}


def main(command: list[str]) -> None:
    """Measure one port, and keep the figures of the others."""
    name, found = measure(command)
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    kept[name] = {**found, "points a round trip": SIZE, **machine}
    RESULTS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")
    print(json.dumps({name: found}, indent=1))


if __name__ == "__main__":
    main([word for word in sys.argv[1:] if word != "--"])
