"""Test vectors: in step with the spec, true, and enough to catch every value fault."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from adaface_ref.cli import cli
from adaface_ref.errors import DomainError
from adaface_ref.faults.answers import faulty_answers
from adaface_ref.faults.rows import FAULTS
from adaface_ref.points import json_number
from adaface_ref.ports.export.export import export
from adaface_ref.ports.vectors.faults import columns_of
from adaface_ref.ports.vectors.flags import FLAGS
from adaface_ref.ports.vectors.rows import row_of
from adaface_ref.ports.vectors.tiers import (
    full_questions,
    hard_questions,
    questions_in,
    smoke_text,
    tier_text,
)
from adaface_ref.spec.losses import LOSSES

CHECKER = Path(__file__).resolve().parents[2] / "examples" / "vectors" / "check.mjs"
CHOOSE = runpy.run_path(str(CHECKER.parents[2] / "benchmarks" / "choose_smoke.py"))
SMOKE: dict[str, Any] = json.loads(smoke_text())

DRIVER = """
import {{ readFileSync }} from "node:fs";
import {{ checked }} from {checker};
import {{ TABLE }} from {exported};
const vectors = JSON.parse(readFileSync({smoke}, "utf8"));
const told = JSON.parse(readFileSync({answers}, "utf8"));
const number = (value) =>
  typeof value === "string" ? Number(value.replace("inf", "Infinity")) : value;
const right = (row) => {{
  const {{ inputs, evaluate }} = TABLE[row.loss].profiles[row.profile][row.quantity];
  const names = [...inputs, ...TABLE[row.loss].parameters];
  return evaluate(...names.map((name) => row.inputs[name].decimal));
}};
const found = {{ right: checked(vectors, right) }};
for (const [fault, values] of Object.entries(told)) {{
  const answer = (_, place) => (place in values ? number(values[place]) : undefined);
  found[fault] = checked(vectors, answer);
}}
console.log(JSON.stringify(found));
"""


def schema() -> Any:
    folder = files("adaface_ref.spec") / "vectors"
    return json.loads((folder / "vectors.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bool | None]]:
    """What plain JavaScript makes of the right values, and of every fault's."""
    if shutil.which("node") is None:
        pytest.skip("no node on this machine")
    folder = tmp_path_factory.mktemp("vectors")
    export("javascript", folder)
    (folder / "smoke.json").write_text(smoke_text(), encoding="utf-8")
    (folder / "answers.json").write_text(json.dumps(faulty()), encoding="utf-8")
    places = {
        "checker": CHECKER.as_uri(),
        "exported": (folder / "margin_softmax.js").as_uri(),
        "smoke": str(folder / "smoke.json"),
        "answers": str(folder / "answers.json"),
    }
    source = DRIVER.format(**{name: json.dumps(text) for name, text in places.items()})
    (folder / "driver.mjs").write_text(source, encoding="utf-8")
    command = ["node", str(folder / "driver.mjs")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, list[bool | None]] = json.loads(done.stdout)
    return found


def faulty() -> dict[str, dict[int, Any]]:
    """What each fault of each loss answers to the rows of that loss."""
    faults = {fault.id: fault for fault in FAULTS}
    told: dict[str, dict[int, Any]] = {}
    for number, row in enumerate(SMOKE["rows"]):
        loss, columns = row["loss"], columns_of(row)
        for fault in SMOKE["faults"][loss] if row["profile"] == "pure" else ():
            value = faulty_answers(faults[fault], loss, columns)[row["quantity"]][0]
            told.setdefault(f"{loss} {fault}", {})[number] = json_number(float(value))
    return told


def test_the_smoke_tier_is_in_step_with_the_spec() -> None:
    assert tier_text("smoke", questions_in(smoke_text())) == smoke_text()


def test_the_smoke_tier_is_the_cover_that_is_found_anew() -> None:
    assert tier_text("smoke", CHOOSE["smallest_cover"]()) == smoke_text()


def test_the_smoke_tier_is_small_and_keeps_its_schema() -> None:
    assert len(smoke_text()) < 50_000
    jsonschema.validate(SMOKE, schema())
    assert set(SMOKE["faults"]) == set(LOSSES)


@pytest.mark.parametrize("questions", [full_questions, hard_questions])
def test_rows_of_the_larger_tiers_keep_the_schema(questions: Any) -> None:
    some = list(questions())[::197]
    told = json.loads(tier_text("full", some))
    jsonschema.validate(told, schema())
    assert all(set(row["flags"]) <= set(FLAGS) for row in told["rows"])


def test_every_flag_stands_at_a_row() -> None:
    rows = [row_of(question) for question in list(hard_questions())[::11]]
    found = {flag for row in rows for flag in row["flags"]}
    assert found == set(FLAGS)


def test_the_enclosure_holds_the_rounded_value() -> None:
    for row in SMOKE["rows"]:
        ends = ("low", "float64", "high")
        low, value, high = (row[name]["decimal"] for name in ends)
        assert low <= value <= high
        assert high - low <= 4e-16 * abs(value) + 1e-300


def test_right_values_pass_in_plain_javascript(judged: dict[str, Any]) -> None:
    assert judged["right"] == [True] * len(SMOKE["rows"])


def test_every_fault_claimed_is_caught_by_its_row(judged: dict[str, Any]) -> None:
    claimed = [
        (f"{loss} {fault}", row)
        for loss, faults in SMOKE["faults"].items()
        for fault, row in faults.items()
    ]
    assert len(claimed) > 200
    assert [name for name, row in claimed if judged[name][row] is not False] == []


def test_the_command_writes_what_is_asked_for(tmp_path: Path) -> None:
    command = ["vectors", str(tmp_path / "out"), "--tier", "smoke"]
    CliRunner().invoke(cli, command, catch_exceptions=False)
    assert (tmp_path / "out" / "smoke.json").read_text() == smoke_text()


def test_a_folder_that_cannot_be_written_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    arguments = ["vectors", str(tmp_path / "file"), "--tier", "smoke"]
    result = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert isinstance(result.exception, DomainError)
    assert "must be a folder that can be written" in str(result.exception)
