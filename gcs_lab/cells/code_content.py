"""What a function or class of the notebook does, as plain parts: its code, and all that this refers to.

File names, line numbers and the number of the defining cell are left out, so that the same cell run again defines the
same content.
"""

from __future__ import annotations

import contextlib
import dis
import functools
from types import BuiltinFunctionType, CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

__all__ = ["class_parts", "code_parts", "function_parts", "imported_names", "names_used"]

#: What Python itself keeps in a class, and what follows from the rest of it.
_OWN_TO_CLASSES = {
    "__dict__", "__weakref__", "__module__", "__qualname__", "__firstlineno__", "__static_attributes__", "_abc_impl",
    "__abstractmethods__", "__annotations_cache__", "__annotate_func__", "__annotate__",
}  # fmt: skip
_GLOBAL_INSTRUCTIONS = {"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"}


def code_parts(code: CodeType) -> tuple[Any, ...]:
    """Return what decides what `code` does; the code of functions inside is in its constants."""
    return (
        code.co_name,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_flags,
        code.co_code,
        code.co_consts,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_exceptiontable,
    )


def function_parts(function: FunctionType) -> tuple[Any, ...]:
    """Return a function's code with its defaults, closure, attributes and the global names that it uses.

    A global name that is not bound (a builtin one, or one still to be defined) is left out.
    """
    namespace = function.__globals__
    annotations: Any = {}
    with contextlib.suppress(Exception):  # from Python 3.14 on they are evaluated now, and may refer to nothing
        annotations = dict(function.__annotations__)
    return (
        "function",
        function.__name__,
        function.__qualname__,
        function.__code__,
        function.__defaults__,
        function.__kwdefaults__,
        annotations,
        [_content(cell) for cell in function.__closure__ or ()],
        [(name, namespace[name]) for name in names_used(function.__code__) if name in namespace],
        {name: value for name, value in vars(function).items() if name != "__wrapped__"},
        vars(function).get("__wrapped__"),
    )


def class_parts(kind: type) -> tuple[Any, ...]:
    """Return a class's name, bases, metaclass, and what its body defined, in that order."""
    body = [
        (name, value)
        for name, value in vars(kind).items()
        if name not in _OWN_TO_CLASSES and not isinstance(value, (MemberDescriptorType, GetSetDescriptorType))
    ]
    # The new and init that a C type puts into an enumeration are its own.
    body = [
        (name, value) for name, value in body if not (name == "__new__" and isinstance(value, BuiltinFunctionType))
    ]
    return "class", kind.__qualname__, type(kind), kind.__bases__, body


@functools.lru_cache(maxsize=1000)
def names_used(code: CodeType) -> tuple[str, ...]:
    """Return the global names that `code` and the code inside it use, sorted."""
    return _arguments(code, frozenset(_GLOBAL_INSTRUCTIONS))


@functools.lru_cache(maxsize=1000)
def imported_names(code: CodeType) -> tuple[str, ...]:
    """Return the modules that `code` and the code inside it import, sorted."""
    return _arguments(code, frozenset({"IMPORT_NAME"}))


def _arguments(code: CodeType, instructions: frozenset[str]) -> tuple[str, ...]:
    found: set[str] = set()
    left = [code]
    while left:
        part = left.pop()
        found.update(str(step.argval) for step in dis.get_instructions(part) if step.opname in instructions)
        left += [constant for constant in part.co_consts if isinstance(constant, CodeType)]
    return tuple(sorted(found))


def _content(cell: Any) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # not bound yet
        return ()
