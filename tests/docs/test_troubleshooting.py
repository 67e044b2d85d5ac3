"""The messages of docs/troubleshooting.md are those of the source, so that the page cannot rot.

In the first column of each table, what stands in backticks is a message; ``…`` stands for what differs from case to
case. Words of the page without backticks are symptoms, and not looked for.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
#: Messages of others, with the module of theirs in which they stand.
OTHERS = {
    "magic function": "IPython.core.interactiveshell",
    "No language found in notebook": "papermill.utils",
}
#: What differs from case to case, in a literal of the source.
HOLE = "\0"
#: So many letters of a message make it one: "… is …" would be found anywhere.
_LEAST = 10


def messages() -> list[str]:
    """Return what stands in backticks in the first column of the page's tables."""
    first_cells = re.findall(r"^\| (?!it says|---)(.+?) \| ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [found.strip("`").strip() for cell in first_cells for found in re.findall(r"`.+?`", cell)]


def _python_literals(path: Path) -> list[str]:
    """Return the texts of a module, those of f-strings with a hole for each value."""
    texts = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            texts.append("".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
    return texts


@cache
def literals() -> tuple[str, ...]:
    """Return every text of the product: Python, the front end, and the scripts of set-up."""
    texts = [text for path in sorted((ROOT / "gcs_lab").rglob("*.py")) for text in _python_literals(path)]
    for folder, patterns in (("labextension/src", ("*.ts", "*.tsx")), ("tools", ("*.sh", "*.py"))):
        for pattern in patterns:
            for path in sorted((ROOT / folder).rglob(pattern)):
                text = path.read_text(encoding="utf-8")
                quoted = re.findall(r"""(['"`])((?:\\.|(?!\1).)*)\1""", text, re.DOTALL)
                texts += [re.sub(r"%\d|\$\{[^}]*\}|\$\w+", HOLE, inner) for _, inner in quoted]
    return tuple(texts)


def is_in(message: str, texts: tuple[str, ...]) -> bool:
    """Tell whether one of the texts is that message, with any value in its holes."""
    pieces = [piece.strip() for piece in message.split("…")]
    if sum(map(len, pieces)) < _LEAST:
        return False
    wanted = re.compile(".*".join(map(re.escape, pieces)), re.DOTALL)
    return any(wanted.search(text) for text in texts if all(piece in text for piece in pieces))


@pytest.mark.parametrize("message", messages())
def test_each_message_of_the_page_is_in_the_source(message) -> None:
    module = next((home for words, home in OTHERS.items() if words in message), None)
    if module is None:
        assert is_in(message, literals()), f"nothing in the source says {message!r} any more: mend the page"
        return
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    assert is_in(message, tuple(_python_literals(Path(spec.origin))))


def test_the_page_has_the_messages_that_matter() -> None:
    assert len(messages()) >= 50
    assert len(set(messages())) == len(messages())


def test_a_message_that_nobody_says_is_found_out() -> None:
    assert not is_in("the cell needs … and nobody has it for sale", literals())
    assert not is_in("… is …", literals())
