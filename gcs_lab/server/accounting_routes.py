"""Route: questions to the records of accounting."""

from __future__ import annotations

from typing import Any

from gcs_lab.server.api_handler import ApiHandler
from gcs_lab.server.openapi_types import COUNT, TEXT, choice, list_of, record, text
from gcs_lab.server.operation import Query, operation

__all__ = ["ROUTES"]

_WORD = text(1000)
_QUESTIONS = ("summary", "waits", "efficiency", "failures", "utilisation", "top", "families")
#: Those that narrow a question, as everywhere in accounting.
_CHOICE = {
    "owner": "Of this user (`ann`, `a*`).",
    "project": "Of this project.",
    "queue": "In this queue, or queue instance.",
    "host": "On this host.",
    "name": "Jobs of this name (`fit_*`).",
    "since": "From then on: 2026-11-01, 7d.",
    "until": "Up to then.",
    "where": "In the language of filters: slots>4 wallclock>2h.",
}


class AccountingHandler(ApiHandler):
    """Questions by name."""

    @operation(
        "Answer a question by the records of accounting, as a table.",
        query=[
            Query("question", choice(*_QUESTIONS), ...),
            Query("by", _WORD, "", "Columns that it is split by, with commas between them."),
            *(Query(name, _WORD, "", words) for name, words in _CHOICE.items()),
            Query("freq", text(20), "1h", "Of utilisation: the width of a bin."),
            Query("n", {"type": "integer", "minimum": 1, "maximum": 10_000}, 10, "Of top: how many."),
            Query("measure", text(100), "slot_seconds", "Of top: what counts."),
            Query("limit", {"type": "integer", "minimum": 1, "maximum": 10_000}, 1000, "So many rows at most."),
        ],
        answer=record(
            columns=list_of(TEXT),
            rows=list_of(list_of({"type": ["string", "number", "null"]})),
            total=COUNT,
            notes=list_of(TEXT),
        ),
    )
    async def get(self, name: str) -> dict[str, Any]:
        """Answer it."""
        words = {word: self.argument(word) for word in ("question", "by", "freq", "n", "measure", "limit", *_CHOICE)}
        return await self.in_thread(self._answer, name, words)

    def _answer(self, name: str, words: dict[str, Any]) -> dict[str, Any]:
        from gcs_lab.server.accounting_answers import accounting_rows

        return accounting_rows(
            self.cluster(name),
            words["question"],
            [one.strip() for one in words["by"].split(",") if one.strip()],
            more={word: words[word] for word in ("freq", "n", "measure")},
            choice={word: words[word] for word in _CHOICE},
            limit=words["limit"],
        )


ROUTES: list[tuple[str, type[ApiHandler]]] = [("clusters/{name}/accounting", AccountingHandler)]
