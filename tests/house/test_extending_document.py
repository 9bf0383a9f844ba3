"""What docs/extending.md shows is what the tests of a new loss and rule put in."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
TEXT = (CHECKOUT / "docs" / "extending.md").read_text(encoding="utf-8")
EXAMPLES = "".join(
    (CHECKOUT / "tests" / name).read_text(encoding="utf-8")
    for name in ("x2_softmax.py", "held_rule.py")
)
BLOCKS = [
    textwrap.dedent(block)
    for block in re.findall(r"^ *```python\n(.*?)^ *```$", TEXT, re.M | re.S)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_example_stands_in_the_rows_that_are_tested(block: str) -> None:
    assert block in EXAMPLES


def test_places_that_the_document_names_exist() -> None:
    named = re.findall(r"`((?:spec|adaface_ref|tests)/[\w/.]+)`", TEXT)
    assert len(named) > 10
    assert [name for name in named if not (CHECKOUT / name).exists()] == []
