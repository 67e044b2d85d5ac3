"""The ``--over`` flags: what they say, evaluated in the notebook's namespace."""

from __future__ import annotations

import ast
import itertools
import keyword
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gcs_lab.cells.placeholder import is_placeholder, why_not_ready
from gcs_lab.errors import GcsError, InvalidArgument, NotReady

__all__ = ["MOST_POINTS", "AxisValues", "check_axis", "read_axis"]

#: More points than that are refused: no array job has so many tasks.
MOST_POINTS = 1_000_000

#: Scalars of numpy that Python has, too: the cell gets Python's, and its Python needs no numpy for them.
_PLAIN_SCALARS = frozenset(
    {"bool_", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float64"}
    | {"complex128", "str_", "intc", "longlong", "ulonglong", "uintc"}
)
_EXAMPLE = 'Write --over "x=range(10)", --over "lr, depth=[(0.1, 3), (0.2, 4)]", or --over with a DataFrame.'


@dataclass(frozen=True)
class AxisValues:
    """The names that an axis binds, and its values: of several names, a tuple each."""

    names: tuple[str, ...]
    values: list[Any]
    #: The flag, for messages.
    flag: str


def read_axis(text: str, namespace: Mapping[str, Any]) -> AxisValues:
    """Return what one ``--over`` says: ``x=range(10)``, ``lr, depth=pairs`` or the name of a table.

    Parameters
    ----------
    text
        The flag's value: an assignment, or an expression for a DataFrame or a list of dicts.
    namespace
        The notebook's, in which it is evaluated.

    Raises
    ------
    InvalidArgument
        If it is neither, cannot be evaluated, is empty, has no end, or its rows do not fit its names.
    NotReady
        If it is a value that a job is still computing.
    """
    flag = f"--over {text!r}"
    names, expression = _parse(text, flag)
    value = _evaluate(expression, namespace, flag)
    if names is None:
        names, values = _table(value, flag)
    else:
        values = _values(value, flag)
        if len(names) > 1:
            values = [_row(row, names, number, flag) for number, row in enumerate(values, 1)]
        else:
            values = [_plain(one) for one in values]
    _check_names(names, flag)
    if not values:
        raise InvalidArgument(f"{flag}: it has no values, so there is nothing to run. Nothing was sent.")
    return AxisValues(names, values, flag)


def check_axis(text: str, *, plain: bool = False) -> None:
    """Check that an ``--over`` can be read, without evaluating it.

    Parameters
    ----------
    text
        As for :func:`read_axis`.
    plain
        Whether it must be values that are written out, or a ``range`` of numbers: nothing of it has to be run.

    Raises
    ------
    InvalidArgument
        If it cannot.
    """
    flag = f"--over {text!r}"
    names, expression = _parse(text, flag)
    if names is not None:
        _check_names(names, flag)
    if plain and not _is_plain(expression):
        raise InvalidArgument(
            f"{flag}: there is no notebook that could compute it. Write the values out, as in x=[0.1, 0.2], or give "
            "a range of numbers: x=range(10)."
        )


def _is_plain(expression: ast.expr) -> bool:
    if isinstance(expression, ast.Call):
        named = isinstance(expression.func, ast.Name) and expression.func.id == "range" and not expression.keywords
        return named and all(map(_is_plain, expression.args))
    try:
        ast.literal_eval(expression)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return False
    return True


def _parse(text: str, flag: str) -> tuple[tuple[str, ...] | None, ast.expr]:
    try:
        tree = ast.parse(text.strip(), mode="exec")
    except (SyntaxError, ValueError) as error:
        said = error.msg if isinstance(error, SyntaxError) else error
        raise InvalidArgument(f"{flag} is not Python ({said}). {_EXAMPLE} Nothing was sent.") from None
    match tree.body:
        case [ast.Expr(value=expression)]:
            return None, expression
        case [ast.Assign(targets=[ast.Name(id=name)], value=expression)]:
            return (name,), expression
        case [ast.Assign(targets=[ast.Tuple(elts=parts) | ast.List(elts=parts)], value=expression)] if parts and all(
            isinstance(part, ast.Name) for part in parts
        ):
            return tuple(part.id for part in parts if isinstance(part, ast.Name)), expression
    raise InvalidArgument(f"{flag} is no assignment to a name. {_EXAMPLE} Nothing was sent.")


def _evaluate(expression: ast.expr, namespace: Mapping[str, Any], flag: str) -> Any:
    code = compile(ast.Expression(expression), "<--over>", "eval")
    try:
        # A copy of the globals: an assignment expression must not change the notebook.
        value = eval(code, dict(namespace))  # noqa: S307  (the user's own words, in the user's own notebook)
    except GcsError:
        raise
    except Exception as error:
        raise InvalidArgument(
            f"{flag} cannot be evaluated: {type(error).__name__}: {error}. Nothing was sent."
        ) from None
    if is_placeholder(value):
        raise NotReady(f"{flag}: {why_not_ready(value)} Nothing was sent.")
    return value


def _values(value: Any, flag: str) -> list[Any]:
    if isinstance(value, str | bytes):
        raise InvalidArgument(
            f"{flag}: the values are one text. Put it into a list: [{value[:20]!r}]. Nothing was sent."
        )
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise InvalidArgument(
            f"{flag}: expected a list, a range or another row of values, not {_kind(value)}. Nothing was sent."
        )
    try:
        values = list(itertools.islice(value, MOST_POINTS + 1))
    except GcsError:
        raise
    except Exception as error:
        raise InvalidArgument(
            f"{flag}: going through its values failed: {type(error).__name__}: {error}. Nothing was sent."
        ) from None
    if len(values) > MOST_POINTS:
        raise InvalidArgument(
            f"{flag}: it has more than {MOST_POINTS:,} values, or no end at all. Take a part of it "
            "(itertools.islice). Nothing was sent."
        )
    return values


def _table(value: Any, flag: str) -> tuple[tuple[str, ...], list[Any]]:
    """Return names and rows of a DataFrame or a list of dicts; of one column, its values."""
    if type(value).__name__ == "DataFrame" and hasattr(value, "itertuples"):
        names = tuple(value.columns)
        rows: list[Any] = [tuple(map(_plain, row)) for row in value.itertuples(index=False, name=None)]
    else:
        dicts = _values(value, flag) if not isinstance(value, Mapping) else []
        if not dicts or not all(isinstance(row, Mapping) for row in dicts):
            what = _kind(value) if not dicts else f"{_kind(value)} of {_kind(dicts[0])}"
            raise InvalidArgument(
                f"{flag}: expected a DataFrame or a list of dicts, not {what}. For a list of values, say which "
                f'parameter takes them: --over "x=…". Nothing was sent.'
            )
        names = tuple(dicts[0])
        for number, row in enumerate(dicts, 1):
            if set(row) != set(names):
                different = ", ".join(map(repr, sorted(map(str, set(row) ^ set(names)))))
                raise InvalidArgument(
                    f"{flag}: dict {number} has other keys than dict 1 ({different}). Each needs the same. "
                    "Nothing was sent."
                )
        rows = [tuple(_plain(row[name]) for name in names) for row in dicts]
    if not names:
        raise InvalidArgument(f"{flag}: it has no columns, so there are no parameters. Nothing was sent.")
    return names, [row[0] for row in rows] if len(names) == 1 else rows


def _row(row: Any, names: tuple[str, ...], number: int, flag: str) -> tuple[Any, ...]:
    try:
        parts = tuple(map(_plain, row))
    except TypeError:
        parts = ()
    if len(parts) != len(names) or isinstance(row, str):
        raise InvalidArgument(
            f"{flag}: value {number} is {row!r:.80}; expected {len(names)} values, for {', '.join(names)}. "
            "Nothing was sent."
        )
    return parts


def _check_names(names: tuple[str, ...], flag: str) -> None:
    for name in names:
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
            raise InvalidArgument(f"{flag}: {name!r} cannot be the name of a variable. Nothing was sent.")
    if len(set(names)) < len(names):
        raise InvalidArgument(f"{flag}: a name stands there more than once. Nothing was sent.")


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind.__module__ == "numpy" and kind.__name__ in _PLAIN_SCALARS:
        return value.item()
    return value


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"an {name}" if name[0].lower() in "aeiou" else f"a {name}"
