"""A port in Python over the NumPy reference: exact, or wrong in one planted way.

Run as a script: python numpy_port.py [FAULT]. It imports nothing of the harness.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

KINDS = {"float64": ">f8", "float32": ">f4"}
DIGITS = {"float64": 16, "float32": 8}
QUANTITIES = ("logit", "slope", "probability", "gst", "other_logit", "other_gst")
OTHERS = ("other_logit", "other_gst")
WITHOUT_RIVAL = ("logit", "slope", "other_logit")
LOSSES = {
    "normface": ["pure"],
    "sphereface": ["pure"],
    "cosface": ["pure"],
    "arcface": ["fallback", "min:detached"],
    "combined": ["pure"],
    "curricularface": ["pure"],
    "magface": ["clip"],
    "adaface": ["pure", "clip"],
}

Message = dict[str, Any]


def hello() -> Message:
    return {
        "type": "hello",
        "protocol": 1,
        "name": "numpy-port",
        "language": "Python",
        "version": "1",
        "losses": LOSSES,
        "dtypes": ["float64", "float32"],
        "quantities": list(QUANTITIES),
    }


def read(text: str, kind: str) -> Any:
    import numpy as np  # not at the top: ports that never get so far start at once

    return np.frombuffer(bytes.fromhex(text), kind).astype(np.float64)


def bits(values: Any, kind: str) -> str:
    import numpy as np

    with np.errstate(over="ignore"):
        return values.astype(kind).tobytes().hex()  # type: ignore[no-any-return]


def zeros(request: Message) -> Message:
    """An answer of the right form."""
    text = DIGITS[request["dtype"]] * request["count"] * "0"
    values = dict.fromkeys(request["quantities"], text)
    return {"type": "values", "id": request["id"], "values": values}


def evaluate(request: Message) -> Message:
    import numpy as np

    from adaface_ref import numpy_reference

    kind = KINDS[request["dtype"]]
    given = {k: read(v, ">f8") for k, v in request["parameters"].items()}
    points = {k: read(v, kind) for k, v in request["points"].items()}
    values = {}
    for quantity in request["quantities"]:
        names = ["target_cosine"]
        names += [] if quantity in WITHOUT_RIVAL else ["rival_cosine"]
        names += ["other_cosine"] if quantity in OTHERS else []
        function = getattr(numpy_reference, quantity)
        cosines = {name: points[name] for name in names}
        got = function(request["loss"], profile=request["profile"], **cosines, **given)
        values[quantity] = bits(np.broadcast_to(got, request["count"]), kind)
    return {"type": "values", "id": request["id"], "values": values}


def wrong_sign(request: Message) -> Message:
    """AdaFace with g_angle = +m z-hat, and all else as it should be.

    That is AdaFace at -z-hat, but for g_add: the rival is moved by what that lacks.
    """
    if request["loss"] != "adaface":
        return evaluate(request)
    kind = KINDS[request["dtype"]]
    given = {k: read(v, ">f8") for k, v in request["parameters"].items()}
    shift = 2 * given["margin"] * given["margin_scaler"]
    rival = read(request["points"]["rival_cosine"], kind) + shift
    points = {**request["points"], "rival_cosine": bits(rival, kind)}
    scaler = bits(-given["margin_scaler"], ">f8")
    parameters = {**request["parameters"], "margin_scaler": scaler}
    answer = evaluate({**request, "parameters": parameters, "points": points})
    if "logit" in answer["values"]:
        logit = read(answer["values"]["logit"], kind) - given["scale"] * shift
        answer["values"]["logit"] = bits(logit, kind)
    return answer


def nan_at_poles(request: Message) -> Message:
    """0 times infinity at c = +-1."""
    import numpy as np

    answer, kind = evaluate(request), KINDS[request["dtype"]]
    pole = np.abs(read(request["points"]["target_cosine"], kind)) == 1
    for quantity in {"gst", "slope"} & set(request["quantities"]):
        values = read(answer["values"][quantity], kind)
        answer["values"][quantity] = bits(np.where(pole, np.nan, values), kind)
    return answer


def forgetful(request: Message) -> Message:
    """Another last bit at every second request."""
    answer = evaluate(request)
    values = answer["values"]
    if request["id"] % 2 and "logit" in values:
        values["logit"] = values["logit"][:-1] + "01"[values["logit"][-1] == "0"]
    return answer


def lonely(request: Message) -> Message:
    """Right in a batch, and off by one where a point comes by itself."""
    answer, kind = evaluate(request), KINDS[request["dtype"]]
    if request["count"] == 1 and "logit" in answer["values"]:
        logit = read(answer["values"]["logit"], kind) + 1
        answer["values"]["logit"] = bits(logit, kind)
    return answer


def first_parameter(request: Message) -> Message:
    """Reads one value of each parameter, and takes it for all points."""
    one = {name: text[:16] for name, text in request["parameters"].items()}
    return evaluate({**request, "parameters": one})


def _changed_in(
    request: Message, quantity: str, change: Callable[[Any, Any], Any]
) -> Message:
    """The exact answer, with one quantity changed; the change is given the scale."""
    import numpy as np

    answer, kind = evaluate(request), KINDS[request["dtype"]]
    if quantity in answer["values"]:
        scale = read(request["parameters"]["scale"], ">f8")
        with np.errstate(divide="ignore"):
            values = change(read(answer["values"][quantity], kind), scale)
        answer["values"][quantity] = bits(values, kind)
    return answer


def scaled_slope(request: Message) -> Message:
    """The slope with the scale left in."""
    return _changed_in(request, "slope", lambda slope, scale: scale * slope)


def complement(request: Message) -> Message:
    """1 - P for P."""
    return _changed_in(request, "probability", lambda chance, _: 1 - chance)


def bare_other_logit(request: Message) -> Message:
    """The other classes lack the scale."""
    return _changed_in(request, "other_logit", lambda logit, scale: logit / scale)


def bare_other_gst(request: Message) -> Message:
    """The push on the other classes lacks the scale."""
    return _changed_in(request, "other_gst", lambda gst, scale: gst / scale)


def rounded_loss(request: Message) -> Message:
    """The loss value of a probability that was rounded to two digits."""
    import numpy as np

    return _changed_in(
        request, "loss_value", lambda loss, _: -np.log(np.round(np.exp(-loss), 2))
    )


def without_regulariser(request: Message) -> Message:
    """MagFace's norm gradient without its regulariser."""
    none = bits(0 * read(request["parameters"]["regulariser_weight"], ">f8"), ">f8")
    parameters = {**request["parameters"], "regulariser_weight": none}
    return evaluate({**request, "parameters": parameters})


def ulps(request: Message) -> Message:
    """Another last bit where a point comes by itself, as vector code has it."""
    answer = evaluate(request)
    logit = answer["values"].get("logit")
    if request["count"] == 1 and logit:
        other = format(int(logit[-1], 16) ^ 1, "x")
        answer["values"]["logit"] = logit[:-1] + other
    return answer


def changed(**fields: Any) -> Callable[[Message], Message]:
    return lambda request: {**zeros(request), **fields}


def few(request: Message) -> Message:
    answer = zeros(request)
    digits = DIGITS[request["dtype"]]
    return {**answer, "values": {k: v[:-digits] for k, v in answer["values"].items()}}


def many(request: Message) -> Message:
    answer = zeros(request)
    return {**answer, "values": {k: v + v for k, v in answer["values"].items()}}


def crash(_request: Message) -> Message:
    print("about to fail\nSegmentation fault ahead", file=sys.stderr, flush=True)
    os.abort()


def leave(_request: Message) -> Message:
    sys.exit(4)


def hang(_request: Message) -> Message:
    time.sleep(600)
    return {}


def deaf(_request: Message) -> Message:
    """Closes its input and output, and stays."""
    os.close(0)
    os.close(1)
    time.sleep(600)
    return {}


def garbage(_request: Message) -> Message:
    os.write(1, b"Hello, world!\n")
    return zeros(_request)


def binary(_request: Message) -> Message:
    os.write(1, b"\xff\xfe\x00\n")
    return zeros(_request)


def endless(_request: Message) -> Message:
    while True:
        os.write(1, b"0" * 65536)


def stale(request: Message) -> Message:
    """The answer to the request before."""
    return {**zeros(request), "id": request["id"] - 1}


def refuse(request: Message) -> Message:
    return {"type": "error", "id": request["id"], "message": "out of\nmemory"}


def twice(request: Message) -> Message:
    answer = zeros(request)
    os.write(1, json.dumps(answer).encode() + b"\n")
    return answer


def numbers(request: Message) -> Message:
    return {**zeros(request), "values": {q: [1.0] for q in request["quantities"]}}


def upper_case(request: Message) -> Message:
    answer = zeros(request)
    return {**answer, "values": {k: "F" + v[1:] for k, v in answer["values"].items()}}


def half_a_line(request: Message) -> Message:
    os.write(1, json.dumps(zeros(request)).encode()[:40])
    sys.exit(0)


def two_keys(request: Message) -> Message:
    os.write(1, json.dumps(zeros(request)).encode()[:-1] + b', "id": 1}\n')
    return zeros(request)


ANSWERS: dict[str, Callable[[Message], Message]] = {
    "": evaluate,
    "zeros": zeros,
    "wrong-sign": wrong_sign,
    "nan-at-poles": nan_at_poles,
    "forgetful": forgetful,
    "lonely": lonely,
    "first-parameter": first_parameter,
    "scaled-slope": scaled_slope,
    "complement": complement,
    "bare-other-logit": bare_other_logit,
    "bare-other-gst": bare_other_gst,
    "rounded-loss": rounded_loss,
    "without-regulariser": without_regulariser,
    "ulps": ulps,
    "few": few,
    "many": many,
    "crash": crash,
    "leave": leave,
    "hang": hang,
    "deaf": deaf,
    "garbage": garbage,
    "binary": binary,
    "endless": endless,
    "stale": stale,
    "refuse": refuse,
    "twice": twice,
    "unknown-field": changed(took="1 ms"),
    "wrong-type": changed(type="answer"),
    "id-as-text": changed(id="1"),
    "values-as-list": changed(values=[]),
    "numbers": numbers,
    "upper-case": upper_case,
    "half-a-line": half_a_line,
    "two-keys": two_keys,
}

HELLOS: dict[str, Message] = {
    "nothing": {"losses": {}},
    "no-profile": {"losses": {"adaface": []}},
    "no-dtype": {"dtypes": []},
    "no-quantity": {"quantities": []},
    "unknown-loss": {"losses": {"cosineface": ["pure"]}},
    "unknown-profile": {"losses": {"adaface": ["round"]}},
    "undefined-profile": {"losses": {"normface": ["fallback"]}},
    "unknown-dtype": {"dtypes": ["float16"]},
    "unknown-quantity": {"quantities": ["hessian"]},
    "protocol-2": {"protocol": 2},
    "nameless": {"name": ""},
    "talkative": {"author": "me"},
    "rounded-loss": {"quantities": [*QUANTITIES, "loss_value"]},
    "without-regulariser": {"quantities": [*QUANTITIES, "norm_gradient"]},
}


def main(fault: str, only: str) -> None:
    answer = ANSWERS.get(fault, evaluate)
    if fault == "never-reads":
        time.sleep(600)
    for line in sys.stdin:
        message = json.loads(line)
        reply: Message = {"type": "bye"}
        if message["type"] == "hello":
            reply = hello()
            if only:
                loss, _, profiles = only.partition("=")
                reply["losses"] = {loss: profiles.split("/")}
            reply = {**reply, **HELLOS.get(fault, {})}
        elif message["type"] == "evaluate":
            reply = answer(message)
        elif fault == "stays":
            time.sleep(600)
        elif fault == "stays-after-bye":
            print(json.dumps(reply), flush=True)
            time.sleep(600)
        elif fault == "bad-exit":
            print(json.dumps(reply), flush=True)
            sys.exit(5)
        print(json.dumps(reply), flush=True)
        if message["type"] == "bye":
            return


if __name__ == "__main__":
    main(*[*sys.argv[1:], "", ""][:2])
