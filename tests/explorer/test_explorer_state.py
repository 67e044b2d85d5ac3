"""What is shown, as JSON and back; what cannot be is refused."""

from __future__ import annotations

import math

import pytest

from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.explorer.messages import check_message
from gcs_lab.explorer.state import ExplorerState, Lasso, Rate, checked_rates

STATE = ExplorerState(
    tab="efficiency",
    since=1_790_000_000.0,
    until=1_791_000_000.5,
    filter='owner:alice name:"a b"',
    by="project",
    measure="cost",
    lasso=Lasso((1.0, 8.0, 8.0), (0.1, 0.1, 0.5)),
    rates=(Rate("queue:gpu.q", 0.5, 0.1), Rate("", 0.02)),
)


def test_a_state_comes_back_from_json_as_it_was():
    assert ExplorerState.from_json(STATE.to_json()) == STATE
    assert ExplorerState.from_json(ExplorerState().to_json()) == ExplorerState()


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"tab": "secrets"}, UnknownName),
        ({"by": "category"}, UnknownName),
        ({"measure": ""}, UnknownName),
        ({"filter": 5}, InvalidArgument),
        ({"since": "today"}, InvalidArgument),
        ({"since": math.inf}, InvalidArgument),
        ({"since": True}, InvalidArgument),
        ({"since": 5, "until": 5}, InvalidArgument),
        ({"lasso": {"x": [1, 2], "y": [1, 2]}}, InvalidArgument),
        ({"lasso": {"x": [1, 2, 3], "y": [1, 2]}}, InvalidArgument),
        ({"lasso": {"x": [1, 2, math.nan], "y": [1, 2, 3]}}, InvalidArgument),
        ({"lasso": {"x": [1.0] * 3000, "y": [1.0] * 3000}}, InvalidArgument),
        ({"lasso": [1]}, InvalidArgument),
        ({"rates": None}, InvalidArgument),
        ({"rates": [{"filter": "", "per_slot_hour": "much", "per_gib_hour": 0}]}, InvalidArgument),
        ({"rates": [{"per_hour": 1}]}, InvalidArgument),
    ],
)
def test_what_cannot_be_shown_is_refused(parts, error):
    with pytest.raises(error):
        ExplorerState.from_json(STATE.to_json() | parts)


def test_rates_may_be_written_short():
    assert checked_rates([{"per_slot_hour": 1}]) == (Rate("", 1.0, 0.0),)


@pytest.mark.parametrize(
    "message",
    [
        None,
        {"kind": "plan"},
        {"kind": "state", "sequence": -1, "state": {}},
        {"kind": "state", "sequence": 1},
        {"kind": "view", "view": "jobs", "id": 1},
        {"kind": "export", "id": 1, "format": "png"},
        {"kind": "module", "id": 1, "name": "../secrets"},
        {"kind": "copy", "id": 1, "view": "records", "format": "qdel", "keys": [], "columns": []},
    ],
)
def test_a_message_that_is_none_is_refused_by_name(message):
    with pytest.raises(InvalidArgument):
        check_message(message)
