"""Sums by group, remembered for what is stored: only what came since is worked out anew."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Literal, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from gcs_lab.accounting.manifest import Manifest

__all__ = ["Aggregation", "Question", "Remembered"]

#: Answers that are kept: in memory, and on the disk.
_MOST_KEPT = 64
#: An answer of more groups than that is not kept.
_MOST_GROUPS = 200_000
#: An answer is written to the disk when so large a share of it is new.
_WORTH_WRITING = 0.02


class Aggregation(NamedTuple):
    """One figure of a group: `kind` of `of`, an expression over the columns of a record. ``len`` counts rows."""

    kind: Literal["sum", "count", "len", "min", "max"]
    of: pl.Expr


class Question(NamedTuple):
    """What is asked: groups by name, figures by name, and which records."""

    by: Mapping[str, pl.Expr]
    figures: Mapping[str, Aggregation]
    where: pl.Expr | None

    def columns(self) -> list[str]:
        """Return the columns that are needed."""
        expressions = [*self.by.values(), *(figure.of for figure in self.figures.values())]
        if self.where is not None:
            expressions.append(self.where)
        return sorted({name for expression in expressions for name in expression.meta.root_names()})

    def digest(self, extra: object) -> str:
        """Return what tells this question from others."""
        text = hashlib.sha256(repr((list(self.by), [(n, f.kind) for n, f in self.figures.items()], extra)).encode())
        wheres = [] if self.where is None else [self.where]
        for expression in [*self.by.values(), *(figure.of for figure in self.figures.values()), *wheres]:
            text.update(expression.meta.serialize())
        return text.hexdigest()[:32]

    def partial(self, records: pl.LazyFrame) -> pl.DataFrame:
        """Return the answer for some records."""
        if self.where is not None:
            records = records.filter(self.where)
        figures = [_of(figure.kind, figure.of).alias(name) for name, figure in self.figures.items()]
        if not self.by:
            return records.select(figures).collect(engine="streaming")
        groups = [expression.alias(name) for name, expression in self.by.items()]
        return records.group_by(groups).agg(figures).collect(engine="streaming")

    def merged(self, answers: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """Return the answer for all records from those for some each."""
        if len(answers) == 1:
            return answers[0]
        both = pl.concat(answers)
        figures = [
            _of("sum" if figure.kind in {"count", "len"} else figure.kind, pl.col(name)).alias(name)
            for name, figure in self.figures.items()
        ]
        # Counts stay counts: a sum of UInt32 is as wide as that.
        whole = both.group_by(list(self.by)).agg(figures) if self.by else both.select(figures)
        return whole.cast(dict(answers[0].schema))  # type: ignore[arg-type]

    def sorted(self, answer: pl.DataFrame) -> pl.DataFrame:
        """Return the answer in the order of its groups."""
        return answer.sort(list(self.by), nulls_last=True) if self.by else answer


def _of(kind: str, expression: pl.Expr) -> pl.Expr:
    made = {
        "sum": expression.sum,
        "count": lambda: expression.count().cast(pl.Int64),
        "len": lambda: pl.len().cast(pl.Int64),
        "min": expression.min,
        "max": expression.max,
    }[kind]
    return made()


#: How far each source went into an answer: its number → (epoch, offset).
Reach = dict[int, tuple[int, int]]


class Remembered:
    """Answers, each with how far it goes: in memory, and in the folder of the store for the next process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "grouped"
        self._answers: OrderedDict[str, tuple[Reach, pl.DataFrame]] = OrderedDict()
        self._written: dict[str, Reach] = {}
        self._lock = threading.Lock()

    def answer(
        self,
        question: Question,
        manifest: Manifest,
        scan: Callable[[Reach], pl.LazyFrame | None],
        *,
        extra: object = None,
    ) -> pl.DataFrame:
        """Return the answer for all whole lines that `manifest` has.

        Parameters
        ----------
        scan
            Returns the records beyond a reach (an empty one: all), None where they cannot be told apart.
        extra
            What else makes the question another one.
        """
        digest = question.digest((manifest.token, extra))
        now: Reach = {source.id: (source.epoch, source.offset) for source in manifest.sources.values()}
        known = self._known(digest)
        if known is not None and known[0] == now:
            return known[1]
        rest = scan(known[0]) if known is not None and known[0] and _goes_on(known[0], now) else None
        if known is not None and rest is not None:
            answer = question.merged([known[1], question.partial(rest)])
        else:
            everything = scan({})
            if everything is None:
                raise AssertionError("everything can always be scanned")
            answer = question.partial(everything)
        if len(answer) <= _MOST_GROUPS:
            self._keep(digest, now, answer)
        return answer

    def forget(self) -> None:
        """Let go of everything in memory."""
        with self._lock:
            self._answers.clear()

    def _known(self, digest: str) -> tuple[Reach, pl.DataFrame] | None:
        with self._lock:
            found = self._answers.get(digest)
            if found is not None:
                self._answers.move_to_end(digest)
                return found
        path = self._folder / f"{digest}.parquet"
        try:
            reach = json.loads(pl.read_parquet_metadata(path)["reach"])
            frame = pl.read_parquet(path)
        except (OSError, KeyError, ValueError, pl.exceptions.PolarsError):
            return None
        found = ({int(source): (epoch, offset) for source, (epoch, offset) in reach.items()}, frame)
        with self._lock:
            self._written[digest] = found[0]
            self._answers[digest] = found
        return found

    def _keep(self, digest: str, reach: Reach, answer: pl.DataFrame) -> None:
        with self._lock:
            self._answers[digest] = (reach, answer)
            self._answers.move_to_end(digest)
            while len(self._answers) > _MOST_KEPT:
                self._answers.popitem(last=False)
            written = sum(offset for _, offset in self._written.get(digest, {}).values())
            total = sum(offset for _, offset in reach.values())
            if not total or (total - written) / total < _WORTH_WRITING:
                return
            self._written[digest] = reach
        self._write(digest, reach, answer)

    def _write(self, digest: str, reach: Reach, answer: pl.DataFrame) -> None:
        """Write an answer for the next process. Where that cannot be done, it asks again itself."""
        path = self._folder / f"{digest}.parquet"
        beside = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        try:
            self._folder.mkdir(exist_ok=True, mode=0o700)
            answer.write_parquet(beside, compression="zstd", metadata={"reach": json.dumps(reach)})
            beside.chmod(0o600)
            beside.replace(path)
            files = sorted(self._folder.iterdir(), key=lambda file: file.stat().st_mtime)
            for file in files[:-_MOST_KEPT]:
                file.unlink(missing_ok=True)
        except (OSError, pl.exceptions.PolarsError):
            beside.unlink(missing_ok=True)


def _goes_on(before: Reach, now: Reach) -> bool:
    """Tell whether all that went into an answer is still there, so that the rest can be added."""
    return all(
        source in now and now[source][0] == epoch and now[source][1] >= offset
        for source, (epoch, offset) in before.items()
    )
