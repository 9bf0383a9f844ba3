"""JavaScript: a module that runs in a browser too, and a port for Node."""

# ruff: noqa: N802  (SymPy calls a printer's methods by the names of classes)

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from sympy.printing.jscode import JavascriptCodePrinter

from adaface_ref.ports.export.language import (
    Doubles,
    Language,
    Row,
    Syntax,
    functions_of,
    header,
    source,
)
from adaface_ref.ports.export.stable import sine
from adaface_ref.spec.symbols import angle, target_cosine


class Printer(Doubles, JavascriptCodePrinter):  # type: ignore[misc]
    def _print_Function(self, e: Any) -> str:
        return self._call(e)

    _print_cos = _print_sin = _print_Function


SYNTAX = Syntax(
    Printer,
    "export function {name}({arguments}) {{",
    "{}",
    "  const {name} = {value};",
    "  if ({}) return {};",
    "  return {};",
    "}",
    {
        sine: f"sqrt((1 - {target_cosine}) * (1 + {target_cosine}))",
        angle: f"acos({target_cosine})",
    },
)


def texts(rows: list[Row]) -> dict[str, str]:
    """The files by name."""
    table = []
    for loss, of_loss in groupby(rows, lambda row: row[0]):
        cells = list(of_loss)
        parameters = json.dumps(list(cells[0][3].parameters))
        table.append(f"  {loss}: {{ parameters: {parameters}, profiles: {{")
        for profile, of_profile in groupby(cells, lambda row: row[1]):
            entries = (
                f"{q}: {{ inputs: {json.dumps(list(f.inputs))}, evaluate: {f.name} }}"
                for _, _, q, f in of_profile
            )
            table.append(f'    "{profile}": {{ {", ".join(entries)} }},')
        table.append("  } },")
    text = [
        header("//"),
        "",
        source("runtime.js"),
        *map(SYNTAX.function, functions_of(rows)),
    ]
    return {
        "margin_softmax.js": "\n".join(
            [*text, "export const TABLE = {", *table, "};", ""]
        ),
        "port.js": source("port.js"),
        "package.json": '{ "type": "module", "private": true }\n',
    }


LANGUAGE = Language(texts, start=("node", "port.js"))
