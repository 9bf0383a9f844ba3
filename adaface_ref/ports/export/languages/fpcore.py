"""FPCore, for FPBench's tools such as Herbie: cores, and no port."""

# ruff: noqa: N802  (SymPy calls a printer's methods by the names of classes)

from __future__ import annotations

from typing import Any

from sympy.printing.codeprinter import CodePrinter

from adaface_ref.ports.export.language import (
    Language,
    Row,
    functions_of,
    header,
    locals_of,
    source,
)
from adaface_ref.ports.export.stable import StableFunction, sine, turned_ratio
from adaface_ref.spec.symbols import angle


class Printer(CodePrinter):  # type: ignore[misc]
    """FPCore's s-expressions; what the runtimes call is written out."""

    language = "FPCore"

    def _format_code(self, lines: list[str]) -> list[str]:
        return lines

    def _apply(self, operator: str, *parts: str) -> str:
        return f"({operator} {' '.join(parts)})"

    def _folded(self, operator: str, e: Any) -> str:
        first, *rest = (str(self._print(part)) for part in e.args)
        for part in rest:
            first = self._apply(operator, first, part)
        return first

    def _print_Add(self, e: Any, order: Any = None) -> str:
        return self._folded("+", e)

    def _print_Mul(self, e: Any) -> str:
        return self._folded("*", e)

    def _print_Pow(self, e: Any) -> str:
        base, exponent = map(self._print, e.args)
        return (
            self._apply("/", "1", base)
            if exponent == "-1"
            else f"(pow {base} {exponent})"
        )

    def _print_Function(self, e: Any) -> str:
        return self._apply(type(e).__name__, *map(self._print, e.args))

    _print_cos = _print_sin = _print_Function

    def _print_Integer(self, e: Any) -> str:
        return str(int(e))

    def _print_Rational(self, e: Any) -> str:
        return f"{e.p}/{e.q}"

    def _print_Symbol(self, e: Any) -> str:
        return str(e.name)

    def _print_Pi(self, _e: Any) -> str:
        return "PI"

    def _print_weighted(self, e: Any) -> str:
        factor, x, y = map(self._print, e.args)
        chance = self._apply("*", factor, f"(logistic {x})")
        return chance if y == "0" else self._apply("*", chance, f"(exp {y})")

    def _print_over_sine(self, e: Any) -> str:
        x, below = map(self._print, e.args)
        return f"(if (== {x} 0) 0 (/ {x} {below}))"

    def _print_arcs_below(self, e: Any) -> str:
        q, theta = map(self._print, e.args)
        return f"(fmin (floor (/ (* {q} {theta}) PI)) (- {q} 1))"

    def _print_arcs_sign(self, e: Any) -> str:
        return f"(- 1 (* 2 (fmod {self._print_arcs_below(e)} 2)))"

    def _print_turned_ratio(self, e: Any) -> str:
        q, a, _c, theta = map(self._print, e.args)
        return f"(/ (sin (+ (* {q} {theta}) {a})) sine)"


def core(found: StableFunction) -> str:
    """One function as an FPCore."""
    show = Printer().doprint
    texts = {
        sine: "(sqrt (* (- 1 target_cosine) (+ 1 target_cosine)))",
        angle: "(acos target_cosine)",
    }
    body = show(found.branches[-1].value)
    for where, value in reversed(found.branches[:-1]):
        tests = [f"(> {show(w)} 0)" for w in where]
        test = tests[0] if len(tests) == 1 else f"(and {' '.join(tests)})"
        body = f"(if {test}\n  {show(value)}\n  {body})"
    wanted = locals_of(found)
    if sine not in wanted and any(b.value.has(turned_ratio) for b in found.branches):
        wanted.insert(0, sine)
    if wanted:
        pairs = " ".join(f"({symbol} {texts[symbol]})" for symbol in wanted)
        body = f"(let* ({pairs})\n  {body})"
    arguments = " ".join(found.arguments)
    return f'(FPCore {found.name} ({arguments})\n  :name "{found.name}"\n  {body})'


def texts(rows: list[Row]) -> dict[str, str]:
    """The files by name."""
    text = [
        header(";;"),
        source("runtime.fpcore"),
        *map(core, functions_of(rows)),
        "",
    ]
    return {"margin_softmax.fpcore": "\n".join(text)}


LANGUAGE = Language(texts)
