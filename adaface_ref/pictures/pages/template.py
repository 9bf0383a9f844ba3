"""Self-contained HTML: parts put into a template, so that nothing is loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import Any


def assemble(
    template: str,
    *,
    data: Mapping[str, Any],
    markup: Mapping[str, str] | None = None,
    code: Mapping[str, str] | None = None,
) -> str:
    """Fill a template: `@name@` stands for data, markup, code or a bundled file.

    Args:
        template: a file of the folder `parts`.
        data: what becomes JSON.
        markup: HTML, escaped already.
        code: JavaScript that is not in the folder.

    Returns:
        The page.
    """
    texts = {
        "version": version("adaface-ref"),
        **(markup or {}),
        **{name: _inert(text) for name, text in (code or {}).items()},
        **{name: _json(value) for name, value in data.items()},
    }

    def part(found: re.Match[str]) -> str:
        name = found[1]
        return texts[name] if name in texts else _inert(_file(name))

    return re.sub(r"@([a-z_.]+)@", part, _file(template))


def _json(value: Any) -> str:
    """JSON in which nothing ends, or opens, an element."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _inert(code: str) -> str:
    """The same to a script, without what would end the element that it stands in."""
    ended = re.sub("</(?=script)", r"<\\/", code, flags=re.IGNORECASE)
    return ended.replace("<!--", r"<\!--")


def _file(name: str) -> str:
    folder = files("adaface_ref.pictures.pages") / "parts"
    return (folder / name).read_text(encoding="utf-8")
