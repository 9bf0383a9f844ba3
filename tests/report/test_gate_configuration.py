"""[tool.adaface-ref]: what it may say, and what a mistake in it is told."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adaface_ref.errors import DomainError
from adaface_ref.gate.configuration import (
    Configuration,
    add_head,
    chosen,
    find_configuration,
    read_configuration,
    schema,
)
from adaface_ref.gate.head.settings import Head

TWO = """
[tool.adaface-ref]
effort = "quick"
seed = 7
baseline = "accepted.json"

[[tool.adaface-ref.head]]
target = "heads.py:arcface"
loss = "arcface"
accept = ["detached", "jump"]

[[tool.adaface-ref.head]]
target = "package.heads:cosface"
loss = "cosface"
effort = "normal"
arguments = { scale = 30.0 }
dtypes = ["float32"]
time-limit = 20
"""
HEAD = '[[tool.adaface-ref.head]]\ntarget = "a:b"\nloss = "arcface"\n'


def _read(folder: Path, text: str) -> Configuration:
    file = folder / "pyproject.toml"
    file.write_text(text, encoding="utf-8")
    return read_configuration(file)


def test_a_head_has_the_common_settings_unless_it_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = _read(tmp_path, TWO).heads
    assert (first.effort, first.seed, second.effort, second.seed) == (
        *("quick", 7),
        *("normal", 7),
    )
    assert first.accept == ("detached", "jump") and first.target == "heads.py:arcface"
    assert (second.arguments, second.dtypes) == ({"scale": 30.0}, ("float32",))
    assert second.time_limit == 20


def test_files_are_taken_from_where_the_configuration_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "pyproject.toml").write_text(TWO, encoding="utf-8")
    monkeypatch.chdir(inner)
    found = find_configuration(Path.cwd())
    assert found.heads[0].target == "../heads.py:arcface"
    assert found.baseline == tmp_path / "accepted.json"


def test_without_a_table_there_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    assert find_configuration(tmp_path) == Configuration()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool", "not valid TOML"),
        ("[tool]\nadaface-ref = 1", "must have a table [tool.adaface-ref]"),
        ("[tool.adaface-ref]\nefort = 1", "unknown key 'efort', did you mean 'effort'"),
        ("[tool.adaface-ref]\neffort = 'huge'", "effort='huge', but must be one of"),
        ("[tool.adaface-ref]\nseed = -1", "seed=-1, but must be an integer, 0 or more"),
        ("[tool.adaface-ref]\nseed = true", "seed=True, but must be an integer"),
        ("[tool.adaface-ref]\nhead = 1", "head=1, but must be tables"),
        ("[[tool.adaface-ref.head]]\nloss='arcface'", "head 1: target must be given"),
        ("[[tool.adaface-ref.head]]\ntarget='a:b'", "head 1: loss must be given"),
        (f"{HEAD}colour = 1", "head 1: unknown key 'colour'; known are"),
        (f"{HEAD}dtypes = ['float8']", "dtypes=['float8'], but must be a list of"),
        (f"{HEAD}accept = ['all']", "accept=['all'], but must be a list of detached"),
        (f"{HEAD}profile = 'nonsense'", "head 1: profile='nonsense', but must be"),
        (
            "[[tool.adaface-ref.head]]\ntarget='a:b'\nloss='cosface'\nprofile='fallback'",
            "head 1: profile=fallback, but must be defined for cosface: pure",
        ),
        (f"{HEAD}arguments = [1]", "arguments=[1], but must be a table"),
        (f"{HEAD}time-limit = inf", "time-limit=inf, but must be a number of seconds"),
        (
            f"{HEAD}{HEAD}",
            "head 2: target=a:b, but must be another than that of head 1",
        ),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DomainError, match=r"^[^\n]*$") as caught:
        _read(tmp_path, text)
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match=r"--config=.*: No such file"):
        read_configuration(tmp_path / "none.toml")


ARC, COS = Head("h.py:a", "arcface", profile="fallback"), Head("h.py:c", "cosface")
BOTH = Configuration((ARC, COS), {"seed": 3})


def test_without_a_target_all_heads_are_judged() -> None:
    found = chosen(BOTH, None, {"effort": "quick"})
    assert [head.target for head in found] == ["h.py:a", "h.py:c"]
    assert {head.effort for head in found} == {"quick"}


def test_a_configured_target_has_its_settings() -> None:
    assert chosen(BOTH, "h.py:a", {}) == (ARC,)


def test_another_target_has_the_common_settings() -> None:
    (head,) = chosen(BOTH, "h.py:other", {"loss": "adaface"})
    assert head == Head("h.py:other", "adaface", seed=3)


@pytest.mark.parametrize(
    ("target", "given", "message"),
    [
        (None, {"loss": "arcface"}, "loss was given, but TARGET was not"),
        ("h.py:other", {}, "loss must be given with TARGET"),
    ],
)
def test_what_is_missing_is_told(
    target: str | None, given: dict[str, str], message: str
) -> None:
    with pytest.raises(DomainError, match=message):
        chosen(BOTH, target, given)


def test_no_head_at_all_is_a_mistake() -> None:
    with pytest.raises(DomainError, match="TARGET must be given, or be in a"):
        chosen(Configuration(), None, {})


def test_a_head_is_added_to_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[project]\nname = "x"', encoding="utf-8")
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    for target, given in (
        ("heads.py:first", {"loss": "arcface"}),
        ("package.heads:Second", {"loss": "cosface", "profile": "pure"}),
    ):
        path, text = add_head(None, target, given)
        assert path == file
        file.write_text(text, encoding="utf-8")
    found = read_configuration(file)
    assert found.common == {"effort": "quick"}
    assert [(head.target, head.loss, head.profile) for head in found.heads] == [
        ("heads.py:first", "arcface", "auto"),
        ("package.heads:Second", "cosface", "pure"),
    ]
    assert file.read_text("utf-8").startswith('[project]\nname = "x"\n')
    with pytest.raises(DomainError, match="is one of its heads already"):
        add_head(None, "heads.py:first", {"loss": "arcface"})


def test_a_head_is_added_to_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path, text = add_head(tmp_path / "gate.toml", "heads.py:h", {"loss": "arcface"})
    path.write_text(text, encoding="utf-8")
    assert [head.target for head in read_configuration(path).heads] == ["heads.py:h"]


def test_a_head_without_its_loss_is_not_added() -> None:
    with pytest.raises(DomainError, match="give TARGET and --loss NAME"):
        add_head(None, "heads.py:h", {})


def _schema() -> dict[str, Any]:
    file = resources.files("adaface_ref.gate").joinpath("pyproject.schema.json")
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def test_the_schema_is_made_of_the_settings() -> None:
    assert _schema() == schema()


def test_the_schema_takes_what_the_gate_takes() -> None:
    table = tomllib.loads(TWO)["tool"]["adaface-ref"]
    jsonschema.validate(table, _schema())


@pytest.mark.parametrize(
    "change",
    [
        {"effort": "huge"},
        {"seed": -1},
        {"strict": 1},
        {"dtypes": []},
        {"unknown": 1},
        {"time-limit": 0},
        {"head": [{"target": "a:b"}]},
        {"head": [{"target": "a:b", "loss": "nosuch"}]},
        {"head": [{"target": "a:b", "loss": "arcface", "accept": ["nothing"]}]},
    ],
)
def test_the_schema_refuses_what_the_gate_refuses(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    assert not jsonschema.Draft202012Validator(_schema()).is_valid(change)
    file = tmp_path / "pyproject.toml"
    rows = [f"{key} = {json.dumps(v)}" for key, v in change.items() if key != "head"]
    lines = ["[tool.adaface-ref]", *rows]
    for head in change.get("head", []):
        lines += ["[[tool.adaface-ref.head]]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in head.items()]
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DomainError):
        read_configuration(file)
