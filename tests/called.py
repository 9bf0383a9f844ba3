"""Calls the command line as a user does, for tests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from adaface_ref import cli


class Ran(NamedTuple):
    """What a call came to: exit code, standard output, standard error."""

    code: object
    out: str
    err: str


Run = Callable[..., Ran]


def caller(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *before: str
) -> Run:
    """A function that calls `adaface-ref` with arguments, some of them always."""

    def call(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["adaface-ref", *before, *arguments])
        code: object = 0
        try:
            cli.main()
        except SystemExit as stopped:
            code = stopped.code
        return Ran(code, *capsys.readouterr())

    return call
