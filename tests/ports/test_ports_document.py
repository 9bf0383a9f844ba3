"""docs/ports.md: the exchange typed out there is valid, and its answers are right."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from adaface_ref import numpy_reference
from adaface_ref.evidence.truth.agreement import INPUTS, Question, judge
from adaface_ref.ports.checks import CHECKS, CONVERSATION_CHECKS
from adaface_ref.ports.pipe.answers import read_hello
from adaface_ref.ports.pipe.bits import decode

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "ports.md").read_text("utf-8")
LINES = [line for line in TEXT.splitlines() if line.startswith(("-> ", "<- "))]
EXCHANGE = [
    (json.loads(asked[3:]), json.loads(answered[3:]))
    for asked, answered in zip(LINES[::2], LINES[1::2], strict=True)
]
ANSWERED = [pair for pair in EXCHANGE if pair[1]["type"] == "values"]


def require_fit(name: str, message: Any) -> None:
    folder = resources.files("adaface_ref.spec").joinpath("protocol")
    schema = json.loads(folder.joinpath(f"{name}.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(message)


def test_exchange_takes_turns_and_shows_every_message() -> None:
    assert [line[:2] for line in LINES] == ["->", "<-"] * len(EXCHANGE)
    kinds = {message["type"] for pair in EXCHANGE for message in pair}
    assert kinds == {"hello", "evaluate", "values", "error", "bye"}


@pytest.mark.parametrize(("asked", "answered"), EXCHANGE)
def test_typed_message_fits_its_schema(asked: Any, answered: Any) -> None:
    require_fit("hello-request" if asked["type"] == "hello" else asked["type"], asked)
    require_fit(answered["type"], answered)


def test_typed_port_announces_what_it_is_asked() -> None:
    hello = read_hello(json.dumps(EXCHANGE[0][1]).encode())
    for asked, _ in EXCHANGE[1:-1]:
        assert asked["profile"] in hello.losses[asked["loss"]]
        assert {*asked["quantities"]} <= {*hello.quantities}


@pytest.mark.parametrize(("asked", "answered"), ANSWERED)
def test_typed_answer_is_what_the_spec_gives(asked: Any, answered: Any) -> None:
    points = {k: decode(v, asked["dtype"]) for k, v in asked["points"].items()}
    given = {k: decode(v, "float64") for k, v in asked["parameters"].items()}
    cell = (asked["loss"], asked["profile"])
    for quantity, bits in answered["values"].items():
        got = decode(bits, asked["dtype"])
        question = Question(quantity, *cell, asked["dtype"], "theirs")
        judged = judge(question, {**points, **given}, got, certify_all=True)
        assert not judged.failures and judged.compared + judged.poles == asked["count"]
        pole = np.abs(points["target_cosine"]) == 1
        inputs = {name: points[name] for name in INPUTS[quantity]} | given
        limit = getattr(numpy_reference, quantity)(cell[0], profile=cell[1], **inputs)
        np.testing.assert_allclose(got[pole], np.atleast_1d(limit)[pole])


def test_document_names_every_check() -> None:
    for check in (*CONVERSATION_CHECKS, *CHECKS):
        assert check.id in TEXT
