"""The line protocol: bits, messages, schemas, and ten thousand lines that are none."""

from __future__ import annotations

import json
import random
from importlib import resources
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ports_zoo.numpy_port import hello, zeros

from adaface_ref.evidence.truth.agreement import parameters_of
from adaface_ref.points import block
from adaface_ref.ports.pipe.answers import read_bye, read_hello, read_values
from adaface_ref.ports.pipe.bits import KINDS, decode, encode
from adaface_ref.ports.pipe.protocol import (
    BYE,
    HELLO,
    MalformedError,
    RefusedError,
    Request,
)
from adaface_ref.spec.losses import LOSSES

MUTANTS = 10_000
QUANTITIES = ("logit", "other_gst")
ERROR = {"type": "error", "id": 1, "message": "no such loss here"}


def schema(name: str) -> Any:
    folder = resources.files("adaface_ref.spec").joinpath("protocol")
    text = folder.joinpath(f"{name}.schema.json").read_text("utf-8")
    found = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def request(loss: str = "adaface", dtype: str = "float64", size: int = 2) -> Request:
    columns = block(loss, 0, size=size, dtype=dtype)
    last = {name: column[-size:] for name, column in columns.items()}
    return Request(loss, "pure", dtype, QUANTITIES, last)


ASKED = request()
VALUES = zeros(json.loads(ASKED.line(1)))
LINES = {"hello": hello(), "values": VALUES, "error": ERROR, "bye": {"type": "bye"}}


def read(kind: str, line: bytes) -> None:
    """Take an answer in as the harness does where one of this kind is due."""
    if kind == "hello":
        read_hello(line)
    elif kind == "bye":
        read_bye(line)
    else:
        read_values(line, ASKED, 1)


@given(st.lists(st.floats(width=64), min_size=1), st.sampled_from([*KINDS]))
@example([-0.0, 5e-324, float("nan"), float("-inf")], "float64")
def test_bits_of_any_float_come_back(values: list[float], dtype: str) -> None:
    with np.errstate(over="ignore"):
        told = np.asarray(values).astype(KINDS[dtype])
    back = decode(encode(values, dtype), dtype)
    np.testing.assert_array_equal(back, told.astype(np.float64))


def test_one_is_3ff_and_thirteen_zeros() -> None:
    assert encode(1.0, "float64") == "3ff0000000000000"
    assert encode(np.array([1.0, -2.0]), "float32") == "3f800000c0000000"


@pytest.mark.parametrize("text", ["3FF0000000000000", "3ff0", "3ff 000000000000", "g"])
def test_bits_are_read_strictly(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        decode(text, "float64")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("loss", LOSSES)
def test_request_holds_every_parameter_in_float64(loss: str, dtype: str) -> None:
    asked = request(loss, dtype)
    message = json.loads(asked.line(7))
    schema("evaluate").validate(message)
    assert set(message["parameters"]) == set(parameters_of(loss))
    for name, bits in message["parameters"].items():
        whole = np.broadcast_to(decode(bits, "float64"), asked.size)
        np.testing.assert_array_equal(whole, asked.columns[name])


def test_request_is_ascii_without_blanks_and_names_each_key_once() -> None:
    line = ASKED.line(1)
    assert line.isascii() and " " not in line and "\\" not in line
    keys = [part.rpartition('"')[2] for part in line.split('":')[:-1]]
    assert len(keys) == len(set(keys))


def test_other_cosine_travels_only_where_it_is_needed() -> None:
    bare = ASKED._replace(quantities=("logit", "gst")).line(1)
    assert "other_cosine" not in bare and "other_cosine" in ASKED.line(1)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("hello-request", HELLO),
        ("bye", BYE),
        *((kind, json.dumps(message)) for kind, message in LINES.items()),
    ],
)
def test_sound_message_fits_its_schema(name: str, line: str) -> None:
    schema(name).validate(json.loads(line))


@pytest.mark.parametrize("kind", ["hello", "values", "bye"])
def test_sound_answer_is_read(kind: str) -> None:
    read(kind, json.dumps(LINES[kind]).encode())


def test_error_is_told_in_one_line() -> None:
    with pytest.raises(RefusedError, match=r"^no such loss here$"):
        read("error", json.dumps(ERROR).encode())


def mutant(kind: str, rng: random.Random) -> bytes:
    """A sound line with a few bytes changed, or one of its values replaced."""
    line = bytearray(json.dumps(LINES[kind]).encode())
    if rng.random() < 0.5:
        return json.dumps(replaced(LINES[kind], rng)).encode()
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(line))
        piece = bytes(rng.choices(b'{}[]",:0e+-\\u ntf\xff\x00', k=rng.randint(0, 3)))
        line[at : at + rng.randint(0, 4)] = piece
    return bytes(line[: rng.randrange(len(line))] if rng.random() < 0.2 else line)


ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    1.0,
    2,
    -1,
    1e400,
    "",
    "pure",
    [],
    {},
    ["x", "x"],
    [[]],
)


def replaced(value: Any, rng: random.Random) -> Any:
    """The same with one part of it replaced, dropped, added or doubled."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key, found = rng.choice([*value]), dict(value)
        turn = rng.random()
        if turn < 0.15:
            del found[key]
        elif turn < 0.3:
            found[rng.choice(["x", "", "id", "gst", "type", "arcface"])] = found[key]
        else:
            found[key] = replaced(value[key], rng)
        return found
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        return [*value[:at], replaced(value[at], rng), *value[at:][: rng.randint(1, 2)]]
    return rng.choice(ODD)


def fate(kind: str, line: bytes) -> str:
    """What becomes of a line: any error but the protocol's own passes through."""
    try:
        read(kind, line)
    except MalformedError as error:
        line_of_its_own = 0 < len(str(error)) < 500 and "\n" not in str(error)
        return "malformed" if line_of_its_own else f"long words: {error}"
    except RefusedError:
        return "refused"
    return "read"


def test_ten_thousand_mutants_raise_nothing_but_the_protocols_error() -> None:
    rng, fates = random.Random(0), []
    for number in range(MUTANTS):
        kind = [*LINES][number % len(LINES)]
        line = mutant(kind, rng)
        fates.append(fate(kind, line))
        if fates[-1] != "malformed":
            assert fates[-1] in ("refused", "read")
            name = "error" if fates[-1] == "refused" else kind
            assert SCHEMAS[name].is_valid(json.loads(line)), line
    assert fates.count("malformed") > 0.8 * MUTANTS


SCHEMAS = {name: schema(name) for name in LINES}

UNTOLD = ("id=", "has", "one that is defined", "profile=", "must begin", "16 digits",
          "[values.values]")  # fmt: skip
"""What no schema says: what was asked, what a profile means."""


def test_what_the_reader_refuses_the_schema_refuses() -> None:
    """As far as a schema can: a key that stands twice, for one, it cannot see."""
    rng, refused = random.Random(1), 0
    for number in range(MUTANTS // 5):
        kind = [*LINES][number % len(LINES)]
        message = replaced(LINES[kind], rng)
        try:
            read(kind, json.dumps(message).encode())
        except RefusedError:
            continue
        except MalformedError as error:
            said = str(error)
        else:
            continue
        if isinstance(message, dict) and message.get("type") in ("values", "error"):
            kind = message["type"]
        if not any(words in said for words in UNTOLD):
            refused += 1
            assert not SCHEMAS[kind].is_valid(message), (message, said)
    assert refused > 500


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b"1" * 10_000, b"", b"null", b'{"type":[]}', b"NaN"]
)
def test_line_that_strains_a_parser_is_malformed(line: bytes) -> None:
    assert fate("values", line) == "malformed"
