"""A check as its file has it, and the catalogue of such files, read without torch.

A check is a file. Its name is the check's id, the first line of its docstring the
claim, the rest the explanation, and at its end stands `ROW = Row(...)`. A package of
checks joins them in order, `CHECKS = join_checks(first, second, ...)`, a call for each
kind of subject, and keeps what they need in a table, `needs.py`, as
`NAME = Need("what is said without it", test)`.
All of that can be read from the source alone, so that nothing has to be imported to
explain a check.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, NamedTuple, TypeVar

from adaface_ref.errors import DomainError
from adaface_ref.report.user_tables import suggest

GATE = "adaface_ref.gate.checks"
"""The package of the gate's checks."""

PORTS = "adaface_ref.ports.checks"
"""The package of the checks of ports."""

Subject = TypeVar("Subject")
Answer = TypeVar("Answer")


class Need(NamedTuple, Generic[Subject]):
    """Something that a check looks at and that not every subject has.

    Args:
        lacking: what is said of a subject without it; a literal.
        is_met: whether a subject has it.
    """

    lacking: str
    is_met: Callable[[Subject], bool]


class Row(NamedTuple, Generic[Subject, Answer]):
    """What stands at the end of a check's file; all but `run` as literals or names.

    Args:
        run: finds it out, given the subject and the claim.
        needs: without which the check is skipped, the first that is lacking being told.
        effort: the least at which it is run.
        severity: what a violation is, and when: "error", "warning" or "note" with the
            condition. The first is what a violation is unless the check says less.
        accept: the word by which a configuration makes a note of it, if it may.
        of_values: whether it judges values, whose errors in half precision are errors;
            what else shows in half precision alone is a warning.
    """

    run: Callable[[Subject, str], Answer]
    needs: tuple[Need[Subject], ...] = ()
    effort: str = "quick"
    severity: Mapping[str, str] = {"error": ""}
    accept: str = ""
    of_values: bool = False


class Check(NamedTuple, Generic[Subject, Answer]):
    """A check that can be run.

    Args:
        id: its name.
        claim: one sentence, which a failure repeats.
        explanation: why it matters, what breaks it, how to mend it.
        row: how it is run.
    """

    id: str
    claim: str
    explanation: str
    row: Row[Subject, Answer]


class Entry(NamedTuple):
    """A check that can be read about.

    Args:
        id: its name.
        claim: one sentence.
        explanation: why it matters, what breaks it, how to mend it: a paragraph each.
        lacking: where it is skipped, a clause each.
        effort: the least at which it is run.
        severity: what a violation is, and when.
        accept: the word by which a configuration makes a note of it, or "".
        file: where it stands, from the package's folder.
    """

    id: str
    claim: str
    explanation: str
    lacking: tuple[str, ...]
    effort: str
    severity: Mapping[str, str]
    accept: str
    file: str

    @property
    def facts(self) -> tuple[str, ...]:
        """What a violation is, from which effort it is run, and where it is skipped."""
        levels = dict(self.severity)
        if self.accept:
            levels |= {"note": f'where accept = ["{self.accept}"] stands'}
        told = "; ".join(f"{level} {when}".rstrip() for level, when in levels.items())
        skipped = (f"skipped where {reason}" for reason in self.lacking)
        return f"severity: {told}", f"runs from --effort {self.effort}", *skipped

    def text(self, width: int = 80) -> str:
        """What `--explain` prints."""
        lines = [self.claim, "", *self.facts]
        for paragraph in self.explanation.split("\n\n"):
            lines += ["", paragraph]
        filled = (textwrap.fill(x, width, break_on_hyphens=False) for x in lines)
        return "\n".join([self.id, *filled])


def join_checks(*modules: ModuleType) -> tuple[Check[Any, Any], ...]:
    """The checks of some files.

    Args:
        modules: each a check's file, imported.

    Returns:
        The checks, in that order.
    """
    return tuple(
        Check(_id_of(module.__name__), *_parts_of(module.__doc__), module.ROW)
        for module in modules
    )


def catalogue(package: str) -> tuple[Entry, ...]:
    """The checks of a package, read from its source.

    Args:
        package: a package whose `__init__` joins checks; it is not imported.

    Returns:
        An entry for each check, in the package's order.
    """
    found = find_spec(package)
    assert found is not None and found.submodule_search_locations is not None
    folder = Path(found.submodule_search_locations[0])
    table = folder / "needs.py"
    needs = dict(_sentences(_parse(table))) if table.exists() else {}
    return tuple(_entry(folder, file, needs) for file in _files(folder, package))


def explain(identifier: str, first: str) -> str:
    """What `--explain` prints: a check of the gate or of ports.

    Args:
        identifier: its id.
        first: the package whose check is meant where both have one, GATE or PORTS.

    Returns:
        Its explanation.

    Raises:
        DomainError: there is no such check.
    """
    packages = sorted((GATE, PORTS), key=lambda package: package != first)
    entries = [entry for package in packages for entry in catalogue(package)]
    known = {entry.id: entry for entry in reversed(entries)}
    if identifier not in known:
        hint = suggest(identifier, known)
        raise DomainError(f"--explain={identifier}: there is no such check{hint}")
    return known[identifier].text()


def explanations(package: str) -> dict[str, str]:
    """The explanation of every check of a package, by its id."""
    return {entry.id: entry.explanation for entry in catalogue(package)}


def _id_of(module: str) -> str:
    return module.rpartition(".")[2].replace("_", "-")


def _parts_of(docstring: str | None) -> tuple[str, str]:
    """The claim, and the explanation with each paragraph on one line."""
    claim, _, rest = (docstring or "").partition("\n")
    paragraphs = textwrap.dedent(rest).strip().split("\n\n")
    return claim, "\n\n".join(" ".join(text.split()) for text in paragraphs)


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Every `NAME = function(...)` of a module."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                yield name, call
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as call):
                yield name, call


def _sentences(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The names of a table of needs, and what is said where each is lacking."""
    for name, call in _calls(tree):
        function = call.func
        if isinstance(function, ast.Subscript):  # Need[Subject](...)
            function = function.value
        if isinstance(function, ast.Name) and function.id == "Need":
            yield name, ast.literal_eval(call.args[0])


def _files(folder: Path, package: str) -> Iterator[str]:
    """The files that a package joins, in order."""
    tree = _parse(folder / "__init__.py")
    places = {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for _, call in _calls(tree):
        if not (isinstance(call.func, ast.Name) and call.func.id == "join_checks"):
            continue
        for argument in call.args:
            assert isinstance(argument, ast.Name)
            room, name = places[argument.id]
            rooms = room.removeprefix(package).strip(".").split(".")
            yield "/".join((*filter(None, rooms), f"{name}.py"))


def _entry(folder: Path, file: str, needs: Mapping[str, str]) -> Entry:
    tree = _parse(folder / file)
    claim, explanation = _parts_of(ast.get_docstring(tree, clean=False))
    fields: dict[str, Any] = dict(Row._field_defaults)
    for keyword in dict(_calls(tree))["ROW"].keywords:
        match keyword.value:
            case ast.Tuple(elts=names) if keyword.arg == "needs":
                used = [name.id for name in names if isinstance(name, ast.Name)]
                fields["needs"] = tuple(needs[name] for name in used)
            case value:
                fields[str(keyword.arg)] = ast.literal_eval(value)
    lacking = fields.pop("needs")
    fields = {name: value for name, value in fields.items() if name in Entry._fields}
    name = _id_of(file.removesuffix(".py").replace("/", "."))
    return Entry(name, claim, explanation, lacking, **fields, file=file)
