"""The explorer as a widget and as a page without a kernel, with a recorded comm in the place of the browser."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import comm
import pytest
from patience import wait_for
from recording_comm import RecordingComm

from gcs_lab.accounting import open_accounting
from gcs_lab.accounting.synthetic import write_site
from gcs_lab.errors import FilterError, InvalidArgument, InvalidState, UnknownName
from gcs_lab.explorer.shown import HeldRecords, Shown
from gcs_lab.explorer.state import ExplorerState
from gcs_lab.widgets import explorer as explorer_module
from gcs_lab.widgets import hosted_face
from gcs_lab.widgets.explorer import Explorer, explore
from gcs_lab.widgets.explorer_html import explorer_html, explorer_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcs_lab.accounting.area import Accounting


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("widget")
    write_site(made / "accounting", records=5_000, users=20, hosts=8, days=60)
    return made


@pytest.fixture
def accounting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Accounting]:
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    monkeypatch.setattr(hosted_face, "front_end", lambda name: f"/* {name} */")
    made = open_accounting(folder / "accounting", folder=folder / "store")
    yield made
    made.close()
    wait_for(lambda: not [t for t in threading.enumerate() if t.name.startswith("gcs-lab-explorer")])


def say(widget: Explorer, **message: Any) -> None:
    widget.comm.handle_msg({"content": {"data": {"method": "custom", "content": message}}, "buffers": []})


def told(widget: Explorer, kind: str) -> list[dict[str, Any]]:
    return [message for message in widget.comm.answers() if message["kind"] == kind]


def test_the_widget_answers_by_custom_messages_and_syncs_its_program_alone(accounting):
    widget = Explorer(accounting, state=ExplorerState(tab="failures"), currency="EUR")
    say(widget, kind="hello", protocol=1)
    wait_for(lambda: any(one["figures"] for one in told(widget, "figures")))
    assert told(widget, "welcome")[0]["currency"] == "EUR"
    assert told(widget, "figures")[-1]["tab"] == "failures"
    own = {
        name
        for name in widget.get_state()
        if not name.startswith(("_model", "_view", "_dom", "layout", "tabbable", "tooltip"))
    }
    assert own == {"_esm", "_css", "_explorer_id", "_height", "_anywidget_id"}
    widget.close()
    with pytest.raises(InvalidState, match="explore"):
        _ = widget.host


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"where": "color:red"}, FilterError),
        ({"by": "colour"}, UnknownName),
        ({"tab": "all"}, UnknownName),
        ({"since": "yesterdayish"}, InvalidArgument),
        ({"rates": [{"price": 1}]}, InvalidArgument),
    ],
)
def test_what_says_nothing_is_refused(accounting, options, error):
    with pytest.raises(error):
        explore(accounting, **options)


def test_a_height_that_cannot_be_is_refused(accounting):
    with pytest.raises(InvalidArgument):
        Explorer(accounting, height=10)


def test_in_a_terminal_it_is_a_text(accounting, capsys):
    accounting.explore(where="slots>1", by="queue", rates=0.5)
    printed = capsys.readouterr().out
    assert "those of the filter slots>1" in printed
    assert "Slot hours by queue:" in printed
    assert "all.q" in printed


class Cell:
    """A kernel's shell that runs one cell."""

    kernel = object()

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: list[Any] = []
        self.updates: list[dict[str, str]] = []
        monkeypatch.setattr(explorer_module, "_notebook_shell", lambda: self)
        monkeypatch.setattr("IPython.display.display", self._display)

    def get_parent(self) -> dict[str, Any]:
        return {"metadata": {"cellId": "cell-1"}}

    def _display(self, thing: Any, **_: Any) -> Any:
        self.shown.append(thing)
        return self

    def update(self, data: dict[str, str], **_: Any) -> None:
        self.updates.append(data)


def test_a_cell_that_runs_again_closes_its_explorer_and_the_page_follows(accounting, monkeypatch):
    cell = Cell(monkeypatch)
    explore(accounting)
    first = cell.shown[0]
    explore(accounting)
    second = cell.shown[2]
    assert isinstance(second, Explorer)
    with pytest.raises(InvalidState):
        _ = first.host
    wait_for(lambda: cell.updates)
    assert f'id="{second.page_id}"' in cell.updates[-1]["text/html"]
    assert "slot h" in cell.updates[-1]["text/plain"]
    second.close()


def test_the_page_is_small_and_escapes(accounting):
    accounting.refresh()
    shown = Shown(accounting, ExplorerState(filter="-owner:nobody"), HeldRecords(accounting))
    page = explorer_html(shown)
    assert len(page) < 30_000
    assert "<svg" in page
    empty = Shown(accounting, ExplorerState(filter="owner:nobody"), HeldRecords(accounting))
    assert "No record of this period fits" in explorer_html(empty)
    assert "No record of this period fits" in explorer_text(empty)
