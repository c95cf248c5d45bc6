"""A session's changes as JSON, and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import ServerError
from kubectl_ray.flows.session_json import CHANGES, Connecting, Ready, Remark, read, written
from kubectl_ray.flows.tunnel_changes import Absent, Change, Lost, Moved, Reconnected, Started, Suspended, Waiting

EVERY = [
    Connecting("raycluster/a", "default", "here"),
    Waiting("the head"),
    Started("client", 10001, 10001, wanted=10001, addresses=["127.0.0.1"]),
    Absent("serve", 8000, "nobody listens"),
    Ready({"client": "ray://127.0.0.1:10001"}),
    Lost("the head was deleted"),
    Reconnected(1.5, "a"),
    Moved("b"),
    Suspended("resume it"),
    Remark("something"),
]
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "session-changes.md"


@pytest.mark.parametrize("change", EVERY, ids=lambda change: type(change).__name__)
def test_there_and_back(change: Change) -> None:
    """What is read is what was written, through real JSON; its time is RFC 3339, in UTC."""
    told = json.loads(json.dumps(written(change, 1_700_000_000.25)))
    assert told["time"] == "2023-11-14T22:13:20.250Z"
    assert read(told) == change


def test_every_change_is_here() -> None:
    """A new one needs a line above."""
    assert {type(change) for change in EVERY} == set(CHANGES.values())
    assert set(Change.__subclasses__()) == set(CHANGES.values())


@pytest.mark.parametrize("change", EVERY, ids=lambda change: type(change).__name__)
def test_the_page_names_it(change: Change) -> None:
    """The reference has a row for each change, with each of its fields."""
    row = next(
        line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| `{written(change, 0)['change']}`")
    )
    for field in set(written(change, 0)) - {"change", "time"}:
        assert f"`{field}`" in row


@given(
    st.dictionaries(
        st.sampled_from(["change", "time", "why", "text", "name", "cluster", "after"]) | st.text(),
        st.sampled_from(list(CHANGES)) | st.none() | st.integers() | st.lists(st.text()),
    )
)
def test_anything(found: dict[str, object]) -> None:
    """Anything else than a change is an error of ours."""
    try:
        assert type(read(found)) in CHANGES.values()
    except ServerError:
        return
