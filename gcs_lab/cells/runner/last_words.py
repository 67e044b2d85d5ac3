"""Which line of a script's standard error says what went wrong."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["telling_line"]

#: Languages whose error comes first and how it was reached after it. Of others the last line counts.
_UNWINDING = frozenset(("python", "ruby", "julia", "lua", "node", "tcl"))
#: What stands between an error and how it was reached.
_BEGINS_TRACE = frozenset(("stack traceback:", "Stacktrace:", "while executing", "invoked from within"))
#: What R and node.js say after every error, whatever it was.
_SAYS_NOTHING = ("Execution halted", "Node.js v", "Calls: ", "in expression starting at ")


def telling_line(language: str, lines: Sequence[str]) -> str:
    """Return the line of `lines` (the last of standard error, none empty) that tells most; empty if there is none."""
    kept = [line for line in lines if not line.startswith(_SAYS_NOTHING)]
    last = kept[-1].strip() if kept else ""
    if language == "R":
        return _of_r(kept) or last
    if language not in _UNWINDING:
        return last
    for number, line in enumerate(kept):
        if number and line.strip() in _BEGINS_TRACE:
            kept = kept[:number]
            break
    # What is indented belongs to the line above it.
    found = [line.strip() for line in reversed(kept) if not line[0].isspace()]
    if language == "ruby":
        # After a syntax error comes the code.
        found = [line for line in found if "rror" in line] or found
    return found[0] if found else last


def _of_r(lines: Sequence[str]) -> str:
    """Return the last ``Error …`` of R, with the line that it was broken into; empty if there is none."""
    for number in reversed(range(len(lines))):
        if lines[number].startswith("Error"):
            more = [line.strip() for line in lines[number + 1 : number + 2] if line[0].isspace()]
            return " ".join([lines[number].strip(), *more])
    return ""
