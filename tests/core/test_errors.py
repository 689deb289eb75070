"""The law of the sentences: every error that the sources make says what to write; the few that cannot are listed, with the reason."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

import vicinal
from vicinal.core.errors import nearest, nearest_path

SOURCES = Path(vicinal.__file__).parent
TREES = {path.relative_to(SOURCES).as_posix(): ast.parse(path.read_text("utf-8")) for path in sorted(SOURCES.rglob("*.py"))}
PARTS = ("where", "expected", "got", "write")
WITHOUT = {
    ("core/run.py", "augment_one_view"): "a pass ran into something else: its address is known, what mends it is not",
    ("data/reading.py", "_run"): "the same, for files",
    ("data/settle.py", "raise_together"): "several faults in one: each of its lines has a part of its own",
}

Trees = Mapping[str, ast.Module]
Names = Mapping[str, list[ast.expr]]


def walk(trees: Trees, kind: type[ast.AST]) -> Iterator:
    return (node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, kind))


def errors(trees: Trees) -> set[str]:
    """The names of VicinalError and of all below it; but Faults, which is a list of others."""
    bases = {node.name: {ast.unparse(base) for base in node.bases} for node in walk(trees, ast.ClassDef)}
    found: set[str] = set()
    more = {"VicinalError"}
    while not more <= found:
        found |= more
        more = {name for name, above in bases.items() if above & found}
    return found - {"Faults"}


def doubtful(trees: Trees) -> set[str]:
    """The names of functions that give a text or None."""
    return {node.name for node in walk(trees, ast.FunctionDef) if node.returns and ast.unparse(node.returns) == "str | None"}


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function, and in no other inside it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef):
            yield from inside(child)


def assigned(nodes: Iterable[ast.AST]) -> Names:
    """What every name is set to, by name."""
    values: dict[str, list[ast.expr]] = {}
    for node in (node for node in nodes if isinstance(node, ast.Assign)):
        for target in node.targets:
            for name, value in paired(target, node.value):
                values.setdefault(ast.unparse(name), []).append(value)
    return values


def paired(target: ast.expr, value: ast.expr) -> Iterable[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return zip(target.elts, value.elts, strict=True)
    return [(target, value)]


def may_be_empty(part: ast.expr, names: Names, unsure: set[str]) -> bool:
    match part:
        case ast.Constant(value=value):
            return not value
        case ast.IfExp(body=body, orelse=other):
            return may_be_empty(body, names, unsure) or may_be_empty(other, names, unsure)
        case ast.BoolOp(op=ast.Or(), values=[*_, last]):
            return may_be_empty(last, names, unsure)
        case ast.Name(id=name):
            return any(may_be_empty(value, {**names, name: []}, unsure) for value in names.get(name, ()))
        case ast.Call(func=ast.Name(id=name)):
            return name in unsure
    return False


def says(call: ast.Call, names: Names, unsure: set[str]) -> bool:
    """Whether an error is given a fourth part that is sure to have words."""
    given = dict(zip(PARTS, call.args, strict=False)) | {word.arg: word.value for word in call.keywords}
    spread = any(isinstance(part, ast.Starred) for part in call.args)
    return not spread and "write" in given and not may_be_empty(given["write"], names, unsure)


def silent(trees: Trees) -> set[tuple[str, str]]:
    """The file and the function of every error that may not say what to write."""
    kinds, unsure, found = errors(trees), doubtful(trees), set()
    for file, tree in trees.items():
        shared = assigned(inside(tree))
        for scope in [tree, *walk({file: tree}, ast.FunctionDef)]:
            nodes = [*inside(scope)]
            names = {**shared, **assigned(nodes)}
            made = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) in kinds]
            found |= {(file, getattr(scope, "name", "")) for call in made if not says(call, names, unsure)}
    return found


def test_every_error_says_what_to_write():
    assert silent(TREES) == set(WITHOUT)


def test_errors_are_found_wherever_they_are_defined():
    assert {"VicinalError", "DataError", "UnknownTransform", "LawBroken"} <= errors(TREES)
    assert {nearest.__name__, nearest_path.__name__} <= doubtful(TREES)


SILENT = """
    VicinalError("a", "b", "c")
    VicinalError("a", "b", "c", None)
    VicinalError("a", "b", "c", write="")
    VicinalError("a", "b", *both)
    VicinalError("a", "b", "c", "d" if x else None)
    VicinalError("a", "b", "c", near(x))
    VicinalError("a", "b", "c", x or near(x))
    Odd("a", "b", "c")
    got, advice = "c", None; Odd("a", "b", got, advice)
"""
SAID = """
    VicinalError("a", "b", "c", "d")
    VicinalError("a", "b", "c", write=f"{x}")
    VicinalError("a", "b", "c", near(x) or "d")
    got, advice = "c", "d" if x else "e"; Odd("a", "b", got, advice)
    Faults("a", [])
"""


@pytest.mark.parametrize(("lines", "found"), [(SILENT, {("one.py", "f")}), (SAID, set())])
def test_the_law_sees_what_is_missing(lines: str, found: set):
    base = ast.parse("class Odd(VicinalError): ...\nclass Faults(VicinalError): ...\ndef near(x) -> str | None: ...")
    for line in filter(None, lines.splitlines()):
        assert silent({"base.py": base, "one.py": ast.parse(f"def f(x, both):\n{line}")}) == found, line
