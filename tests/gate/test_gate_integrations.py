"""The pre-commit hooks and the GitHub action call what is there."""

from __future__ import annotations

import subprocess
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Command

from adaface_ref.cli import cli

CHECKOUT = Path(__file__).resolve().parents[2]
HOOKS = yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text("utf-8"))
ACTION = yaml.safe_load((CHECKOUT / "action.yml").read_text("utf-8"))
GATE: Command = cli.commands["gate"]
OPTIONS = {option for parameter in GATE.params for option in parameter.opts}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_calls_a_command_that_is_there(hook: dict[str, Any]) -> None:
    program, command = hook["entry"].split()
    scripts = entry_points(group="console_scripts")
    assert program in scripts.names and command in cli.commands
    assert {arg for arg in hook["args"] if arg.startswith("-")} <= OPTIONS
    assert not hook["pass_filenames"] and hook["name"] and hook["language"]


def test_hooks_have_names_of_their_own() -> None:
    names = [hook["id"] for hook in HOOKS]
    assert len(names) == len(set(names)) == 2


def test_the_action_is_composite_and_names_its_shells() -> None:
    runs = ACTION["runs"]
    assert runs["using"] == "composite"
    assert all(step["shell"] == "bash" for step in runs["steps"])


def test_the_action_puts_no_input_into_a_script() -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"]]
    assert not any("${{" in script for script in scripts)


def _run_action(tmp_path: Path, **inputs: str) -> list[str]:
    """The arguments that the action gives adaface-ref."""
    step = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "gate")
    stub = tmp_path / "adaface-ref"
    stub.write_text(
        '#!/bin/bash\nprintf "%s\\n" "$@" > "$SAID"\n'
        'printf "::error::x\\nDOES NOT CONFORM\\n"\nexit 1\n'
    )
    stub.chmod(0o755)
    given = dict.fromkeys(step["env"], "") | {"SARIF": "x.sarif"} | inputs
    names = {"SAID": "said", "GITHUB_OUTPUT": "out", "GITHUB_STEP_SUMMARY": "summary"}
    places = {name: str(tmp_path / file) for name, file in names.items()}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", **given, **places},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "::error::x\nDOES NOT CONFORM\n"
    assert (tmp_path / "summary").read_text() == "```\nDOES NOT CONFORM\n```\n"
    assert (tmp_path / "out").read_text() == "sarif=x.sarif\n"
    return (tmp_path / "said").read_text().splitlines()


def test_the_action_judges_all_heads_without_a_target(tmp_path: Path) -> None:
    said = _run_action(tmp_path)
    assert said == ["gate", "--github", "--sarif", "x.sarif", "--"]


def test_the_action_hands_its_inputs_on(tmp_path: Path) -> None:
    said = _run_action(
        tmp_path,
        TARGET="my heads.py:a; ls",
        LOSS="arcface",
        ARGUMENTS="--strict --arg scale=30",
    )
    assert said[4:6] == ["--loss", "arcface"]
    assert said[-5:] == [
        "--strict",
        "--arg",
        "scale=30",
        "--",
        "my heads.py:a; ls",
    ]
    assert {word for word in said if word.startswith("--")} <= OPTIONS | {"--"}
