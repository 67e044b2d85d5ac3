"""The cell's code: compiled under its own name, and run."""

from __future__ import annotations

import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

__all__ = ["CellCode"]


_CO_COROUTINE = 0x80


class CellCode:
    """The source of a cell, run in a namespace as a notebook runs it: statement by statement, ``await`` at top level.

    Parameters
    ----------
    source
        Plain Python.
    filename
        The name that tracebacks give it.
    namespace
        The globals.
    """

    def __init__(self, source: str, filename: str, namespace: dict[str, Any]) -> None:
        self._source = source
        self._filename = filename
        self._namespace = namespace
        self._loop: Any = None

    def run(self, show: Callable[[object], object]) -> None:
        """Run it; the value of a last expression that no semicolon silences goes to `show`.

        Raises
        ------
        BaseException
            Whatever the cell raises.
        """
        import ast

        filename, flags = self._filename, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        tree = compile(self._source, filename, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        self._evaluate(compile(tree, filename, "exec", flags, dont_inherit=True))
        if last is None:
            return
        value = self._evaluate(compile(ast.Expression(last.value), filename, "eval", flags, dont_inherit=True))
        if not _ends_with_semicolon(self._source):
            show(value)

    def _evaluate(self, code: CodeType) -> Any:
        value = eval(code, self._namespace)  # noqa: S307  (running the user's code is what this is for)
        if not code.co_flags & _CO_COROUTINE:
            return value
        if self._loop is None:
            import asyncio

            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
        return self._loop.run_until_complete(value)

    def close(self) -> None:
        """End what the cell left running in its event loop, if it had one."""
        if self._loop is None:
            return
        import asyncio

        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        self._loop.close()


def _ends_with_semicolon(source: str) -> bool:
    """Tell whether the last token is ``;``, by which a notebook keeps a value from being shown."""
    if ";" not in source:
        return False
    import tokenize

    blank = (tokenize.ENDMARKER, tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.DEDENT)
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type not in blank]
    return tokens[-1].string == ";"
