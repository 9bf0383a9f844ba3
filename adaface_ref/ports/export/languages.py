"""How each language writes a function: SymPy's printers, and the lines around them."""

# ruff: noqa: N802, N815  (SymPy calls a printer's methods by the names of classes)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sympy import Symbol
from sympy.printing.c import C99CodePrinter
from sympy.printing.codeprinter import CodePrinter
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.rust import RustCodePrinter

from adaface_ref.ports.export.stable import Exported, sine, turned_ratio
from adaface_ref.spec.symbols import angle, target_cosine


class _Doubles(CodePrinter):  # type: ignore[misc]
    """Every number is a floating-point literal; the runtime's functions are called."""

    def _print_Integer(self, e: Any) -> str:
        return f"{int(e)}.0"

    def _print_Rational(self, e: Any) -> str:
        return repr(float(e))

    def _print_Pi(self, _e: Any) -> str:
        return "PI"

    def _call(self, e: Any) -> str:
        return f"{type(e).__name__}({', '.join(map(self._print, e.args))})"

    _print_weighted = _print_over_sine = _print_turned_ratio = _call
    _print_arcs_below = _print_arcs_sign = _call


class _C(_Doubles, C99CodePrinter):  # type: ignore[misc]
    pass


class _JavaScript(_Doubles, JavascriptCodePrinter):  # type: ignore[misc]
    def _print_Function(self, e: Any) -> str:
        return self._call(e)

    _print_cos = _print_sin = _print_Function


class _Rust(_Doubles, RustCodePrinter):  # type: ignore[misc]
    _print_Mul = CodePrinter._print_Mul
    _print_Add = CodePrinter._print_Add

    def _print_Integer(self, e: Any) -> str:
        return f"{int(e)}.0_f64"

    def _print_Rational(self, e: Any) -> str:
        return f"{float(e)!r}_f64"

    def _print_Function(self, e: Any) -> str:
        return f"({self._print(e.args[0])}).{type(e).__name__}()"

    _print_cos = _print_sin = _print_Function


class _FPCore(CodePrinter):  # type: ignore[misc]
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


@dataclass(frozen=True)
class Language:
    """How one language writes functions.

    Args:
        printer: prints an expression.
        head: opens a function; takes name and arguments.
        argument: one argument; takes name.
        local: a line that names a value; takes name and value.
        branch: a line that returns a value under a condition.
        last: a line that returns a value.
        end: closes a function.
        texts: how the locals are computed.
        both: joins conditions.
        unused: a line that lets an argument go unused; takes name.
    """

    printer: Callable[[], Any]
    head: str
    argument: str
    local: str
    branch: str
    last: str
    end: str
    texts: dict[Symbol, str]
    both: str = " && "
    unused: str = ""

    def function(self, found: Exported) -> str:
        """The source of one function."""
        show = self.printer().doprint
        arguments = ", ".join(self.argument.format(name) for name in found.arguments)
        lines = [self.head.format(name=found.name, arguments=arguments)]
        if self.unused:
            lines += [self.unused.format(name) for name in _unused(found)]
        for symbol in _locals(found):
            lines.append(self.local.format(name=symbol, value=self.texts[symbol]))
        for branch in found.branches:
            value = show(branch.value)
            if not branch.where:
                lines.append(self.last.format(value))
                continue
            conditions = self.both.join(f"{show(w)} > 0.0" for w in branch.where)
            lines.append(self.branch.format(conditions, value))
        return "\n".join([*lines, self.end])


def _unused(found: Exported) -> list[str]:
    """Arguments that no line of a function reads."""
    parts = [e for b in found.branches for e in (*b.where, b.value)]
    read = {symbol.name for part in parts for symbol in part.free_symbols}
    chosen = _locals(found)
    read |= {"target_cosine"} if chosen else set()
    return [name for name in found.arguments if name not in read]


def _locals(found: Exported) -> list[Symbol]:
    """What a function computes first, in the order in which it is needed."""
    return [symbol for symbol in (sine, angle) if found.needs(symbol)]


C = Language(
    _C,
    "MARGIN_SOFTMAX double {name}({arguments}) {{",
    "double {}",
    "    const double {name} = {value};",
    "    if ({}) return {};",
    "    return {};",
    "}",
    {
        sine: f"sqrt((1.0 - {target_cosine}) * (1.0 + {target_cosine}))",
        angle: f"acos({target_cosine})",
    },
    unused="    (void){};",
)

JAVASCRIPT = Language(
    _JavaScript,
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

RUST = Language(
    _Rust,
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


def fpcore(found: Exported) -> str:
    """One function as an FPCore."""
    show = _FPCore().doprint
    texts = {
        sine: "(sqrt (* (- 1 target_cosine) (+ 1 target_cosine)))",
        angle: "(acos target_cosine)",
    }
    body = show(found.branches[-1].value)
    for where, value in reversed(found.branches[:-1]):
        tests = [f"(> {show(w)} 0)" for w in where]
        test = tests[0] if len(tests) == 1 else f"(and {' '.join(tests)})"
        body = f"(if {test}\n  {show(value)}\n  {body})"
    wanted = _locals(found)
    if sine not in wanted and any(b.value.has(turned_ratio) for b in found.branches):
        wanted.insert(0, sine)
    if wanted:
        pairs = " ".join(f"({symbol} {texts[symbol]})" for symbol in wanted)
        body = f"(let* ({pairs})\n  {body})"
    arguments = " ".join(found.arguments)
    return f'(FPCore {found.name} ({arguments})\n  :name "{found.name}"\n  {body})'
