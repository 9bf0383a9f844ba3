"""The page that says what is public, against the modules that it names."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "docs" / "public.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(adaface_ref[\w.]*)` \| (.*) \|$", PAGE, re.MULTILINE))
FILES = re.findall(r"`((?:adaface_ref|spec)/[\w/*.-]+)`", PAGE)


@pytest.mark.parametrize("module", ROWS)
def test_page_lists_what_a_module_calls_public(module: str) -> None:
    listed = re.findall(r"`(\w+)`", ROWS[module])
    assert listed == importlib.import_module(module).__all__


@pytest.mark.parametrize("module", ROWS)
def test_public_name_is_there_and_documented(module: str) -> None:
    found = importlib.import_module(module)
    objects = [getattr(found, name) for name in found.__all__]
    assert [o for o in objects if callable(o) and not o.__doc__] == []


@pytest.mark.parametrize("pattern", FILES)
def test_file_that_the_page_names_is_there(pattern: str) -> None:
    assert list(CHECKOUT.glob(pattern))
