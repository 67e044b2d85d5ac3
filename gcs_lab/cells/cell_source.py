"""What a cell needs from the namespace, and what it leaves there; read from its source, nothing is run.

The order of the cell's top-level statements is followed: a name that is bound on every path before it is read is the
cell's own, any other name that is read is needed. Bodies of functions, lambdas, classes and comprehensions are read
with `symtable`, which knows their scopes; what they read counts as needed where they are written.
"""

from __future__ import annotations

import ast
import symtable
from dataclasses import dataclass, field

__all__ = ["CellSource", "Discarded", "read_cell"]

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FORGIVING = {"NameError", "Exception", "BaseException"}


@dataclass(frozen=True)
class Discarded:
    """A statement like ``model.fit(X)``: it may change `name`, and its value is thrown away."""

    name: str
    line: int
    text: str


@dataclass
class CellSource:
    """The names of one cell.

    ``needs`` and ``leaves`` map each name to the (1-based) line of its first use; ``optional`` are needs that the
    cell can do without (bound on some path, or guarded by ``except NameError``); ``changes`` are names that the cell
    does not bind but stores into (``frame["a"] = 1``), which therefore come back too; ``discarded`` are method calls
    as statements; ``open_ended`` says that names may come from where they cannot be read (``from m import *``).
    """

    needs: dict[str, int] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)
    leaves: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    discarded: list[Discarded] = field(default_factory=list)
    open_ended: bool = False


def read_cell(source: str, filename: str = "<cell>") -> CellSource:
    """Return the names that the cell `source` needs and leaves.

    Raises
    ------
    SyntaxError
        If it is not Python.
    """
    tree = ast.parse(source, filename)
    reader = _Reader()
    reader.block(tree.body)
    found = reader.found
    found.optional |= {name for name in found.needs if name in found.leaves and name not in reader.read_too_early}
    return found


class _Reader(ast.NodeVisitor):
    """Follows the statements of a cell; ``bound`` are the names that are surely bound where the reader stands."""

    def __init__(self) -> None:
        self.found = CellSource()
        self.bound: set[str] = set()
        self.guarded = 0
        self.read_too_early: set[str] = set()

    # -- names ---------------------------------------------------------------------------------------------------

    def read(self, name: str, line: int, *, later: bool = False) -> None:
        if name in self.bound:
            return
        self.found.needs.setdefault(name, line)
        if self.guarded:
            self.found.optional.add(name)
        elif not later and name not in self.found.leaves:
            self.read_too_early.add(name)

    def bind(self, name: str, line: int) -> None:
        self.bound.add(name)
        self.found.leaves.setdefault(name, line)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.read(node.id, node.lineno)
        elif isinstance(node.ctx, ast.Store):
            self.bind(node.id, node.lineno)
        else:
            self.read(node.id, node.lineno)
            self.bound.discard(node.id)

    # -- scopes of their own -------------------------------------------------------------------------------------

    def nested(self, node: ast.AST) -> None:
        """Read a function, class, lambda or comprehension: its free names now, its own names never."""
        own = getattr(node, "name", None)
        lines: dict[str, int] = {}
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                lines.setdefault(part.id, part.lineno)
            elif isinstance(part, ast.NamedExpr) and isinstance(node, _COMPREHENSIONS):
                # `(y := …)` in a comprehension binds y outside of it.
                self.found.leaves.setdefault(part.target.id, part.lineno)
        at = getattr(node, "lineno", 1)
        top = symtable.symtable(ast.unparse(node), "<scope>", "exec")
        for table in [top, *_below(top)]:
            for symbol in table.get_symbols():
                name = symbol.get_name()
                line = lines.get(name, at)
                if symbol.is_declared_global() and symbol.is_assigned():
                    self.found.leaves.setdefault(name, line)
                # From Python 3.12 on comprehensions are inlined, and their own names stand in the table above.
                free = not symbol.is_assigned() if table is top else symbol.is_global()
                if name != own and symbol.is_referenced() and free:
                    self.read(name, line, later=table is not top)

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, _SCOPES + _COMPREHENSIONS):
            self.nested(node)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.bind(node.name, node.lineno)
        else:
            super().generic_visit(node)

    # -- statements ----------------------------------------------------------------------------------------------

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.visit(statement)

    def branches(self, *blocks: list[ast.stmt]) -> None:
        """Follow blocks of which one runs: what all of them bind is bound after."""
        before, after = self.bound, []
        for block in blocks:
            self.bound = set(before)
            self.block(block)
            if not (block and isinstance(block[-1], (ast.Raise, ast.Continue, ast.Break))):
                after.append(self.bound)
        self.bound = set.intersection(*after) if after else set(before)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.read(node.target.id, node.lineno)
        self.visit(node.value)
        self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def _stored_into(self, node: ast.Attribute | ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Load):
            return
        root: ast.expr = node
        while isinstance(root, (ast.Attribute, ast.Subscript)):
            root = root.value
        if isinstance(root, ast.Name):
            self.found.changes.setdefault(root.id, node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._stored_into(node)
        self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._stored_into(node)
        self.visit(node.value)
        self.visit(node.slice)

    def visit_Expr(self, node: ast.Expr) -> None:
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            owner = call.func.value
            if isinstance(owner, ast.Name) and owner.id not in self.bound:
                text = f"{owner.id}.{call.func.attr}(…)"
                self.found.discarded.append(Discarded(owner.id, node.lineno, text))
        self.visit(node.value)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.branches(node.body, node.orelse)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        before = set(self.bound)
        self.visit(node.target)
        self.block(node.body)
        self.bound = before
        self.block(node.orelse)

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        before = set(self.bound)
        self.block(node.body)
        forever = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self.bound = self.bound if forever else before
        self.block(node.orelse)

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        before = set(self.bound)
        forgiven = any(_catches_name_error(handler) for handler in node.handlers)
        self.guarded += forgiven
        self.block(node.body)
        self.guarded -= forgiven
        self.block(node.orelse)
        ends = [self.bound]
        for handler in node.handlers:
            self.bound = set(before)
            if handler.type is not None:
                self.visit(handler.type)
            known = handler.name is None or handler.name in self.bound
            if handler.name:
                self.bound.add(handler.name)
            self.block(handler.body)
            if not known and handler.name:
                self.bound.discard(handler.name)
            if not (handler.body and isinstance(handler.body[-1], ast.Raise)):
                ends.append(self.bound)
        self.bound = set.intersection(*ends)
        self.block(node.finalbody)

    visit_TryStar = visit_Try

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self.visit(item.optional_vars)
        self.block(node.body)

    visit_AsyncWith = visit_With

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        before = set(self.bound)
        for case in node.cases:
            self.bound = set(before)
            self.visit(case.pattern)
            if case.guard is not None:
                self.visit(case.guard)
            self.block(case.body)
        self.bound = before

    def _bind_pattern(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self.bind(node.name, node.lineno)
        super().generic_visit(node)

    visit_MatchAs = _bind_pattern
    visit_MatchStar = _bind_pattern

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self.bind(node.rest, node.lineno)
        super().generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.bind(alias.asname or alias.name.partition(".")[0], node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.found.open_ended = True
            else:
                self.bind(alias.asname or alias.name, node.lineno)


def _below(table: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    found: list[symtable.SymbolTable] = []
    for child in table.get_children():
        # Annotation scopes (3.12 and newer) are not run with the code.
        if child.get_type() in {"function", "class"}:
            found += [child, *_below(child)]
    return found


def _catches_name_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in _FORGIVING for kind in kinds)
