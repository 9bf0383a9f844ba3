"""AdaFace, ArcFace and CosFace as a JAX user writes them, judged as a port.

The head is two functions, `margined` and `loss`; every gradient is JAX's own, so the
GST comes out of the softmax cross-entropy with the rounding of P - 1 and all. The rest
speaks the line protocol. From the checkout, with `jax` installed:

    adaface-ref port -- python examples/jax/adaface_port.py
"""

from __future__ import annotations

import json
import sys
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)

EPS = 1e-3  # of both the cosine clamp and the angle clip
# Every batch is cut and padded to it: jit compiles once for a profile and dtype.
BLOCK = 4096
BITS = {"float64": ">f8", "float32": ">f4"}
PROFILES = ["pure", "clip"]

MARGINS = {  # loss: parameters -> (angular margin, additive margin)
    "adaface": lambda p: (
        -p["margin"] * p["margin_scaler"],
        p["margin"] * p["margin_scaler"] + p["margin"],
    ),
    "arcface": lambda p: (p["margin"], 0 * p["margin"]),
    "cosface": lambda p: (0 * p["margin"], p["margin"]),
}


@jax.custom_jvp
def sine(cosine):
    """sqrt(1 - c^2), with a derivative that stays finite at c = +-1.

    There it is that of the neighbouring float: 0 * inf would make NaN of a batch's
    gradient, and jnp.where does not help, for it differentiates both its branches.
    """
    return jnp.sqrt((1 - cosine) * (1 + cosine))


@sine.defjvp
def _sine_jvp(primals, tangents):
    (cosine,), (step,) = primals, tangents
    value = sine(cosine)
    least = np.sqrt(np.finfo(cosine.dtype).eps)  # the sine next to a pole
    return value, -cosine / jnp.maximum(value, least) * step


def clamped(value, low, high):
    """Not jnp.clip: on an edge itself that passes one half of the gradient."""
    low, high = (jnp.asarray(bound, value.dtype) for bound in (low, high))
    return jax.lax.clamp(low, value, high)


def margined(cosine, angular, additive, profile):
    """The target cosine with its margins, cos(theta + a) - b."""
    if profile == "pure":
        value = cosine * jnp.cos(angular) - sine(cosine) * jnp.sin(angular)
        return value - additive
    cosine = clamped(cosine, -1 + EPS, 1 - EPS)
    angle = jnp.arctan2(sine(cosine), cosine) + angular
    return jnp.cos(clamped(angle, EPS, np.pi - EPS)) - additive


def loss(cosine, rival_cosine, scale, angular, additive, profile):
    """The softmax cross-entropy of two classes; the logits come along."""
    target = scale * margined(cosine, angular, additive, profile)
    logits = jnp.stack([target, scale * rival_cosine])
    return jax.nn.logsumexp(logits) - target, logits


def sample(profile, cosine, rival_cosine, *parameters):
    """Every quantity of one sample; parameters are scale and the two margins."""
    scale, *margins = (value.astype(cosine.dtype) for value in parameters)
    gradient = jax.grad(partial(loss, profile=profile), has_aux=True)
    gst, logits = gradient(cosine, rival_cosine, scale, *margins)
    return {
        "logit": logits[0],
        "slope": jax.grad(margined)(cosine, *margins, profile),
        "probability": jax.nn.softmax(logits)[0],
        "gst": gst,
    }


@cache
def compiled(profile: str) -> Any:
    """A block of samples at once; the losses differ by their margins alone."""
    return jax.jit(jax.vmap(partial(sample, profile)))


def unpack(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(text), BITS[dtype]).astype(dtype)


def pack(values: np.ndarray, dtype: str) -> str:
    return np.asarray(values).astype(BITS[dtype]).tobytes().hex()


def evaluate(ask: dict[str, Any]) -> dict[str, str]:
    """The asked quantities of any number of points, block by block."""
    count, dtype, points = ask["count"], ask["dtype"], ask["points"]
    total = -(-count // BLOCK) * BLOCK

    def padded(text: str, dtype: str) -> np.ndarray:
        values = np.broadcast_to(unpack(text, dtype), (count,))
        return np.pad(values, (0, total - count), mode="edge")

    target = padded(points["target_cosine"], dtype)
    # The logit and the slope come without a rival: any one will do.
    rival = padded(points.get("rival_cosine", points["target_cosine"]), dtype)
    p = {key: padded(text, "float64") for key, text in ask["parameters"].items()}
    inputs = (target, rival, p["scale"], *MARGINS[ask["loss"]](p))
    run, found = compiled(ask["profile"]), []
    for start in range(0, total, BLOCK):
        found.append(run(*(column[start : start + BLOCK] for column in inputs)))
    return {
        name: pack(np.concatenate([block[name] for block in found])[:count], dtype)
        for name in ask["quantities"]
    }


HELLO = {
    "type": "hello",
    "protocol": 1,
    "name": "adaface-jax",
    "language": "Python with JAX",
    "version": jax.__version__,
    "losses": dict.fromkeys(MARGINS, PROFILES),
    "dtypes": list(BITS),
    "quantities": ["logit", "slope", "probability", "gst"],
}


def answer(ask: dict[str, Any]) -> dict[str, Any]:
    """The one answer to a request."""
    if ask["type"] == "hello":
        return HELLO
    if ask["type"] == "bye":
        return {"type": "bye"}
    try:
        return {"type": "values", "id": ask["id"], "values": evaluate(ask)}
    except Exception as error:  # one line for the harness, whatever it was
        return {"type": "error", "id": ask["id"], "message": repr(error)}


for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(answer(request)), flush=True)
    if request["type"] == "bye":
        break
