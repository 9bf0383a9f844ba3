"""What the documents link to is there, and what they show can be read."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from adaface_ref.cli import cli

CHECKOUT = Path(__file__).parents[2]
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _name(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def _blocks(kind: str) -> list[tuple[str, str]]:
    return [
        (_name(path), block)
        for path in DOCUMENTS
        for found, block in BLOCK.findall(path.read_text("utf-8"))
        if found == kind
    ]


def _commands() -> Iterator[tuple[str, str]]:
    """Every command line of ours that a document shows."""
    for kind, prompt in (("sh", ""), ("console", "$ ")):
        for name, block in _blocks(kind):
            for line in block.replace("\\\n", " ").splitlines():
                for part in line.removeprefix(prompt).split("&&"):
                    if line.startswith(prompt) and part.strip().startswith("adaface"):
                        yield name, part.strip()


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in LINK.findall(path.read_text("utf-8")):
        assert (path.parent / link).exists(), link


@pytest.mark.parametrize(("name", "line"), list(_commands()))
def test_commands_have_the_options_shown(name: str, line: str) -> None:
    program, command, *arguments = shlex.split(line, comments=True)
    assert program == "adaface-ref"
    found = cli.commands[command]
    while isinstance(found, click.Group):
        command, *arguments = arguments
        found = found.commands[command]
    found.make_parser(click.Context(found)).parse_args(arguments)


def test_commands_are_found() -> None:
    assert len(list(_commands())) > 12


@pytest.mark.parametrize(("name", "block"), _blocks("python"))
def test_python_compiles(name: str, block: str) -> None:
    compile(block, name, "exec")


@pytest.mark.parametrize(("name", "block"), _blocks("toml"))
def test_toml_can_be_read(name: str, block: str) -> None:
    assert tomllib.loads(block)


def test_the_readme_is_short() -> None:
    lines = (CHECKOUT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) <= 180
