"""Rust: a module of functions with a table, and a port."""

# ruff: noqa: N802, N815  (SymPy calls a printer's methods by the names of classes)

from __future__ import annotations

from typing import Any

from sympy import S
from sympy.printing.codeprinter import CodePrinter
from sympy.printing.rust import RustCodePrinter

from adaface_ref.ports.export.language import (
    Doubles,
    Language,
    Row,
    Syntax,
    functions_of,
    header,
    source,
)
from adaface_ref.ports.export.stable import QUANTITIES, sine
from adaface_ref.spec.symbols import angle, target_cosine


class Printer(Doubles, RustCodePrinter):  # type: ignore[misc]
    _print_Mul = CodePrinter._print_Mul
    _print_Add = CodePrinter._print_Add

    def _print_Integer(self, e: Any) -> str:
        return f"{int(e)}.0_f64"

    def _print_Rational(self, e: Any) -> str:
        return f"{float(e)!r}_f64"

    def _print_Function(self, e: Any) -> str:
        return f"({self._print(e.args[0])}).{type(e).__name__}()"

    _print_cos = _print_sin = _print_Function

    def _print_Float(self, e: Any) -> str:
        return f"{float(e)!r}_f64"

    def _print_Pow(self, e: Any) -> str:
        base = f"({self._print(e.base)})"
        if e.exp == -1:
            return f"{base}.recip()"
        if e.exp == S.Half:
            return f"{base}.sqrt()"
        return f"{base}.powf({self._print(e.exp)})"


SYNTAX = Syntax(
    Printer,
    "pub fn {name}({arguments}) -> f64 {{",
    "{}: f64",
    "    let {name}: f64 = {value};",
    "    if {} {{ return {}; }}",
    "    {}",
    "}",
    {
        sine: f"((1.0 - {target_cosine}) * (1.0 + {target_cosine})).sqrt()",
        angle: f"{target_cosine}.acos()",
    },
)


def texts(rows: list[Row]) -> dict[str, str]:
    """The files by name."""
    table = []
    for loss, profile, quantity, found in rows:
        names = ", ".join(f'"{name}"' for name in found.arguments)
        values = ", ".join(f"v[{place}]" for place in range(len(found.arguments)))
        table.append(
            f'    Row {{ loss: "{loss}", profile: "{profile}", quantity: "{quantity}", '
            f"cosines: {len(found.inputs)}, names: &[{names}], "
            f"evaluate: |v| {found.name}({values}) }},"
        )
    quantities = ", ".join(f'"{name}"' for name in QUANTITIES)
    text = [
        header("//"),
        source("runtime.rs"),
        *map(SYNTAX.function, functions_of(rows)),
        "/// One function: where it belongs, and the names of its arguments in order.",
        "pub struct Row {",
        "    pub loss: &'static str,",
        "    pub profile: &'static str,",
        "    pub quantity: &'static str,",
        "    pub cosines: usize,",
        "    pub names: &'static [&'static str],",
        "    pub evaluate: fn(&[f64]) -> f64,",
        "}",
        f"pub const QUANTITIES: &[&str] = &[{quantities}];",
        "pub const TABLE: &[Row] = &[",
        *table,
        "];",
        "",
    ]
    return {"margin_softmax.rs": "\n".join(text), "port.rs": source("port.rs")}


LANGUAGE = Language(texts, build=("rustc", "-o", "port", "port.rs"), start=("port",))
