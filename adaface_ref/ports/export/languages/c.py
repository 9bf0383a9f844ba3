"""C99, which CUDA compiles too: a header, the functions with a table, a port."""

from __future__ import annotations

from sympy.printing.c import C99CodePrinter

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


class Printer(Doubles, C99CodePrinter):  # type: ignore[misc]
    pass


SYNTAX = Syntax(
    Printer,
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


def texts(rows: list[Row]) -> dict[str, str]:
    """The files by name."""
    quantities = ",".join(f'\\"{name}\\"' for name in QUANTITIES)
    heading = header("//").replace("// ", "/* ").replace("\n", " */\n") + " */"
    declarations = [
        heading,
        "#ifndef MARGIN_SOFTMAX_H",
        "#define MARGIN_SOFTMAX_H",
        "#ifdef __CUDACC__",
        "#define MARGIN_SOFTMAX __host__ __device__",
        "#else",
        "#define MARGIN_SOFTMAX",
        "#endif",
        f'#define MARGIN_SOFTMAX_QUANTITIES "{quantities}"',
        "typedef struct {",
        "    const char *loss, *profile, *quantity;",
        "    int cosines, arguments;",
        "    const char *const *names;",
        "    double (*evaluate)(const double *);",
        "} margin_softmax_row;",
        "extern const margin_softmax_row margin_softmax_table[];",
        "extern const int margin_softmax_rows;",
    ]
    body = [heading, source("runtime.c"), *map(SYNTAX.function, functions_of(rows))]
    for found in functions_of(rows):
        arguments = ", ".join(f"double {name}" for name in found.arguments)
        declarations.append(f"MARGIN_SOFTMAX double {found.name}({arguments});")
        names = ", ".join(f'"{name}"' for name in found.arguments)
        values = ", ".join(f"v[{place}]" for place in range(len(found.arguments)))
        body.append(f"static const char *const names_{found.name}[] = {{{names}}};")
        body.append(f"static double at_{found.name}(const double *v) {{")
        body += [f"    return {found.name}({values});", "}"]
    table = [
        f'    {{"{loss}", "{profile}", "{quantity}", {len(f.inputs)}, '
        f"{len(f.arguments)}, names_{f.name}, at_{f.name}}},"
        for loss, profile, quantity, f in rows
    ]
    body += ["const margin_softmax_row margin_softmax_table[] = {", *table, "};"]
    body.append(f"const int margin_softmax_rows = {len(rows)};")
    return {
        "margin_softmax.h": "\n".join([*declarations, "#endif", ""]),
        "margin_softmax.c": "\n".join([*body, ""]),
        "port.c": source("port.c"),
    }


LANGUAGE = Language(
    texts,
    build=("gcc", "-std=c99", "-Wall", "-Wextra", "-o", "port", "margin_softmax.c",
           "port.c", "-lm"),
    start=("port",),
)  # fmt: skip
