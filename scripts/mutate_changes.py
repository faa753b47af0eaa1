"""Small changes to Python source, one at a time: what `scripts/mutate` puts to the tests."""

from __future__ import annotations

import ast
import copy
import importlib
import types
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SWAPS: dict[type[ast.AST], list[type[ast.AST]]] = {
    ast.Lt: [ast.LtE, ast.GtE], ast.LtE: [ast.Lt, ast.Gt], ast.Gt: [ast.GtE, ast.LtE], ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot], ast.IsNot: [ast.Is], ast.In: [ast.NotIn],
    ast.NotIn: [ast.In], ast.And: [ast.Or], ast.Or: [ast.And], ast.Add: [ast.Sub], ast.Sub: [ast.Add],
    ast.Mult: [ast.Add], ast.Div: [ast.Mult], ast.FloorDiv: [ast.Mult], ast.Mod: [ast.Mult],
    ast.BitXor: [ast.BitOr], ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd],
    ast.RShift: [ast.LShift], ast.LShift: [ast.RShift],
}  # fmt: skip
NAMES = {"max": "min", "min": "max", "any": "all", "all": "any"}


Spot = tuple[ast.AST, str, int | None, ast.AST]
"""A node by its parent, the parent's field and, in a list, its index."""


@dataclass(frozen=True)
class Mutant:
    """`name` is module.function: before => after; `new` takes the place of one node of `tree`, the whole module.

    `number` counts those that read alike."""

    module: str
    function: str
    what: str
    tree: ast.Module
    spot: Spot
    new: ast.AST
    number: int

    @property
    def name(self) -> str:
        return f"{self.module.rpartition('.')[2]}.{self.function}: {self.what}"

    def change(self) -> ast.Module:
        """The tree with the change in it, for good: a mutant lives in a process of its own."""
        parent, field, index, old = self.spot
        ast.copy_location(self.new, old)
        if index is None:
            setattr(parent, field, self.new)
        else:
            getattr(parent, field)[index] = self.new
        return ast.fix_missing_locations(self.tree)


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Every small change of this node, without its children."""
    match node:
        case ast.Compare():
            yield from _other_comparisons(node)
        case ast.BoolOp() | ast.BinOp():
            yield from _other_operators(node)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.If() | ast.IfExp():
            changed = copy.deepcopy(node)
            changed.test = ast.UnaryOp(ast.Not(), changed.test)
            yield changed
        case ast.Constant():
            yield from _other_constants(node)
        case ast.Name(id=name) if name in NAMES:
            yield ast.Name(NAMES[name], node.ctx)
        case ast.Call():
            yield from _less_keywords(node)
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield ast.Pass()


def _other_comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for index, op in enumerate(node.ops):
        for new in SWAPS.get(type(op), []):
            changed = copy.deepcopy(node)
            changed.ops[index] = new()  # type: ignore[call-overload]
            yield changed


def _other_operators(node: ast.BoolOp | ast.BinOp) -> Iterator[ast.AST]:
    for new in SWAPS.get(type(node.op), []):
        changed = copy.deepcopy(node)
        changed.op = new()  # type: ignore[assignment]
        yield changed
    if isinstance(node, ast.BoolOp):
        for part in node.values:
            rest = [value for value in node.values if value is not part]
            yield ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]


def _other_constants(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node.value, str):
        yield ast.Constant(node.value + "X")


def _less_keywords(node: ast.Call) -> Iterator[ast.AST]:
    for index, keyword in enumerate(node.keywords):
        if keyword.arg:
            less = copy.deepcopy(node)
            del less.keywords[index]
            yield less


def functions(tree: ast.Module, only: tuple[str, ...] = ()) -> Iterator[tuple[str, ast.AST]]:
    """By name; `only`: these alone, and coroutines among them."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef) if only else (ast.FunctionDef,)
    found: list[tuple[str, ast.AST]] = []
    for node in tree.body:
        if isinstance(node, kinds):
            found.append((node.name, node))
        elif isinstance(node, ast.ClassDef):
            found += [(f"{node.name}.{part.name}", part) for part in node.body if isinstance(part, kinds)]
    yield from ((name, node) for name, node in found if not only or name in only)


def spots(parent: ast.AST) -> Iterator[Spot]:
    """Places below `parent` where a node may be exchanged; not in annotations, docstrings and the texts of messages."""
    for field, value in ast.iter_fields(parent):
        if field in ("args", "returns", "annotation", "decorator_list") and isinstance(
            parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.AnnAssign
        ):
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            is_text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if not isinstance(child, ast.AST) or is_text or isinstance(child, ast.JoinedStr | ast.Raise):
                continue
            yield parent, field, index if isinstance(value, list) else None, child
            yield from spots(child)


def mutants(module: str, only: tuple[str, ...] = ()) -> Iterator[Mutant]:
    """Every change of every function (or of `only` these) of a module given by its dotted name."""
    alike: Counter[tuple[str, str]] = Counter()
    tree = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    for name, function in functions(tree, only):
        for spot in spots(function):
            for new in changes(spot[3]):
                before, after = (ast.unparse(node).splitlines()[0] for node in (spot[3], new))
                what = f"{before}  =>  {after}"
                alike[name, what] += 1
                yield Mutant(module, name, what, tree, spot, new, alike[name, what])


def put_in_place(mutant: Mutant) -> None:
    """Give the loaded module's functions, methods and properties the mutant's code: whoever imported them runs it."""
    module = importlib.import_module(mutant.module)
    changed = dict(vars(module))
    exec(compile(mutant.change(), f"<{mutant.name}>", "exec"), changed)  # noqa: S102  our own source
    for name, old in list(vars(module).items()):
        if getattr(old, "__module__", None) != module.__name__:
            continue
        parts = list(vars(old)) if isinstance(old, type) else []
        _give_code(old, changed[name], module.__file__)
        for part in parts:
            _give_code(vars(old)[part], vars(changed[name]).get(part), module.__file__)


def _give_code(old: object, new: object, source: str | None) -> None:
    if isinstance(old, property) and isinstance(new, property):
        old, new = old.fget, new.fget
    if isinstance(old, classmethod | staticmethod) and isinstance(new, classmethod | staticmethod):
        old, new = old.__func__, new.__func__
    if not (isinstance(old, types.FunctionType) and isinstance(new, types.FunctionType)):
        return
    if old.__code__.co_filename == source:  # a dataclass's own methods are nobody's
        old.__code__ = new.__code__
