"""Whatever happens to the files and to the process: no record is lost, none is doubled."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
from pathlib import Path
from unittest import mock

import hypothesis.strategies as st
import polars as pl
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from store_lines import bad_line, record_line

from gcs_lab.accounting import ingest_blocks, ingest_text, manifest, store_compaction
from gcs_lab.accounting.store import Store
from gcs_lab.accounting.store_grouped import Aggregation

HEADER = b"# Version: 8.1.9\n#\n"


class Crash(BaseException):
    """The process dies here."""


class Files(RuleBasedStateMachine):
    """A growing file, what rotation made of it, and two stores over one folder."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        (self.root / "spool").mkdir()
        self.growing = self.root / "spool" / "accounting"
        self.rotated: list[Path] = []
        self.number = 0
        self.pending = b""  # what the writer has still to write of a line
        self.known: dict[str, bool] = {}  # what was in a file at a refresh: text of the line -> is a record
        self.shortened = False  # the growing file was cut off
        self.patches = [
            mock.patch.object(ingest_text.Text.blocks, "__defaults__", (900,)),
            mock.patch.object(store_compaction, "FAN", 3),
            mock.patch.object(ingest_blocks, "_COMMIT_EVERY", 0.0),
            mock.patch("os.fsync"),
        ]
        for patch in self.patches:
            patch.start()
        self.stores = [self.new_store(), self.new_store()]

    def teardown(self) -> None:
        for patch in self.patches:
            patch.stop()
        shutil.rmtree(self.root)

    def new_store(self) -> Store:
        return Store(self.root / "store", self.paths)

    def paths(self) -> list[Path]:
        return [*self.rotated, *([self.growing] if self.growing.exists() else [])]

    def line(self, *, bad: bool = False) -> bytes:
        self.number += 1
        return bad_line(self.number) if bad else record_line(self.number)

    def write(self, data: bytes) -> None:
        with self.growing.open("ab") as file:
            file.write(data)

    @initialize(header=st.booleans())
    def begin(self, header: bool) -> None:
        self.growing.write_bytes(HEADER if header else b"")

    @rule(kinds=st.lists(st.sampled_from(["good", "good", "good", "bad", "comment"]), min_size=1, max_size=6))
    def append(self, kinds: list[str]) -> None:
        lines = [b"# comment\n" if kind == "comment" else self.line(bad=kind == "bad") for kind in kinds]
        self.write(self.pending + b"".join(lines))
        self.pending = b""

    @rule(cut=st.integers(min_value=60, max_value=110))
    def append_a_piece(self, cut: int) -> None:
        line = self.line()
        self.write(self.pending + line[:cut])
        self.pending = line[cut:]

    @rule()
    def append_all_but_the_newline(self) -> None:
        self.write(self.pending + self.line()[:-1])
        self.pending = b"\n"

    @rule(header=st.booleans())
    def rotate(self, header: bool) -> None:
        self.forget_the_writer()
        self.rotated.append(
            self.growing.rename(self.growing.with_name(f"accounting.{len(self.known)}.{self.number}"))
        )
        self.growing.write_bytes(HEADER if header else b"")
        self.number += 1

    @rule()
    def copy_and_truncate(self) -> None:
        self.forget_the_writer()
        self.number += 1
        copy = self.growing.with_name(f"accounting.copy.{self.number}")
        shutil.copy(self.growing, copy)
        self.rotated.append(copy)
        os.truncate(self.growing, 0)

    @precondition(lambda self: self.rotated)
    @rule(which=st.integers(min_value=0), keep=st.booleans())
    def compress(self, which: int, keep: bool) -> None:
        which %= len(self.rotated)
        plain = self.rotated[which]
        if plain.suffix == ".gz":
            return
        packed = plain.with_name(plain.name + ".gz")
        if packed in self.rotated:
            keep = False
            self.rotated.remove(packed)
            which = self.rotated.index(plain)
        packed.write_bytes(gzip.compress(plain.read_bytes()))
        if keep:
            self.rotated.insert(which, packed)  # both are there for a while
        else:
            plain.unlink()
            self.rotated[which] = packed

    @precondition(lambda self: self.rotated)
    @rule()
    def delete_the_oldest(self) -> None:
        self.rotated.pop(0).unlink()

    @rule(lines=st.integers(min_value=0, max_value=8))
    def cut_off(self, lines: int) -> None:
        """An older copy of the file is put back."""
        self.forget_the_writer()
        whole = self.growing.read_bytes().splitlines(keepends=True)
        self.growing.write_bytes(b"".join(line for line in whole[:lines] if line.endswith(b"\n")))
        self.shortened = True

    @precondition(lambda self: not self.shortened and not self.pending)
    @rule(which=st.integers(min_value=0), more=st.booleans())
    def take_a_line_out(self, which: int, more: bool) -> None:
        self.refresh(0)
        whole = self.growing.read_bytes().splitlines(keepends=True)
        places = [i for i, line in enumerate(whole) if not line.startswith(b"#")]
        # A line that is followed by a record: else nothing tells this from a file that was cut off.
        places = [i for i in places if any(line.startswith(b"all.q") for line in whole[i + 1 :])]
        if not places:
            return
        gone = whole.pop(places[which % len(places)])
        self.growing.write_bytes(b"".join(whole))
        del self.known[gone.decode().strip()]
        if more:
            self.write(self.line())
        self.refresh(1)

    @rule(store=st.integers(min_value=0, max_value=1))
    def refresh(self, store: int) -> None:
        self.stores[store].refresh()
        self.learn()

    @rule(where=st.sampled_from(["before", "after", "part", "force"]), calls=st.integers(min_value=0, max_value=4))
    def crash(self, where: str, calls: int) -> None:
        """The process dies at some call; another one goes on."""
        owner, name = {
            "before": (manifest.Manifest, "commit"),
            "after": (manifest.Manifest, "commit"),
            "part": (ingest_blocks, "write_part"),
            "force": (ingest_blocks, "force_part"),
        }[where]
        real, count = getattr(owner, name), 0

        def dying(*arguments: object, **named: object) -> object:
            nonlocal count
            count += 1
            if count > calls and where == "before":
                raise Crash
            answer = real(*arguments, **named)
            if count > calls:
                raise Crash
            return answer

        with mock.patch.object(owner, name, dying):
            try:
                self.stores[0].refresh()
            except Crash:
                self.stores[0] = self.new_store()
        self.refresh(calls % 2)

    def forget_the_writer(self) -> None:
        """What it had begun to write never comes; its name is used again by nothing."""
        self.pending = b""

    def learn(self) -> None:
        for path in self.paths():
            data = path.read_bytes()
            data = gzip.decompress(data) if path.suffix == ".gz" else data
            for line in data.splitlines(keepends=True):
                if not line.startswith(b"#") and (line.endswith(b"\n") or path != self.growing):
                    text = line.decode().strip()
                    self.known[text] = line.startswith(b"all.q") and line.count(b":") == 44
        self.check()

    def check(self) -> None:
        good = sorted(text.split(":")[5] for text, is_record in self.known.items() if is_record)
        bad = sorted(text for text, is_record in self.known.items() if not is_record)
        for store in self.stores:
            assert sorted(store.scan(["job_id"], refresh=False).collect()["job_id"]) == good
            assert sorted(store.rejects()["text"].str.strip_chars()) == sorted(bad)
            totals = store.totals()
            assert (totals.records, totals.rejects) == (len(good), len(bad))
            answer = store.grouped(["owner"], {"jobs": Aggregation("len", pl.col("owner"))}, refresh=False)
            assert answer["jobs"].sum() == len(good)


Files.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestFiles = Files.TestCase
