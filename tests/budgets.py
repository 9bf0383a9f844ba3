"""How many examples a test may draw, by what an example costs."""

from __future__ import annotations

from hypothesis import settings

_usual = settings.default.max_examples if settings.default else 100

BLOCKS = settings(max_examples=max(2, _usual // 25))
"""For a drawn block: hundreds or thousands of points in several quantities."""
