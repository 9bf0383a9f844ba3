"""A port in Python to start from: put your own code into `evaluate`.

adaface-ref port -- python port.py
"""

import json
import math
import struct
import sys

HELLO = {
    "type": "hello", "protocol": 1, "name": "my-port", "language": "Python",
    "version": "0.1", "losses": {"cosface": ["pure"]}, "dtypes": ["float64"],
    "quantities": ["logit", "gst"],
}  # fmt: skip


def evaluate(quantity, c, n, p):
    """CosFace at target cosine c and rival cosine n: FILL IN YOUR OWN."""
    logit = p["scale"] * (c - p["margin"])
    if quantity == "logit":
        return logit
    # gst = (P - 1) s. Formed as 1 - P = 1/(1 + e^x) it does not cancel as P nears 1.
    x = logit - p["scale"] * n
    small = math.exp(-abs(x))
    return -p["scale"] * (small if x > 0 else 1.0) / (1.0 + small)


def unpack(text, count):
    values = struct.unpack(f">{len(text) // 16}d", bytes.fromhex(text))
    return values * count if len(values) == 1 else values  # one value for all points


def answer(ask):
    if ask["type"] != "evaluate":
        return HELLO if ask["type"] == "hello" else {"type": "bye"}
    count, values = ask["count"], {}
    parameters = {k: unpack(v, count) for k, v in ask["parameters"].items()}
    points = {k: unpack(v, count) for k, v in ask["points"].items()}
    c = points["target_cosine"]
    n = points.get("rival_cosine", c)  # the logit needs none
    for quantity in ask["quantities"]:
        found = [
            evaluate(quantity, c[i], n[i], {k: v[i] for k, v in parameters.items()})
            for i in range(count)
        ]
        values[quantity] = struct.pack(f">{count}d", *found).hex()
    return {"type": "values", "id": ask["id"], "values": values}


for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(answer(request)), flush=True)
    if request["type"] == "bye":
        break
