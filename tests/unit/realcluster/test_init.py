"""The node's first process answers whatever it is asked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.realcluster.init import Init

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=2))


@pytest.fixture(scope="module")
def init() -> Iterator[Init]:
    """One that has started nothing."""
    first = Init(os.open(os.devnull, os.O_RDONLY))
    yield first
    first.close()


def test_status_of_nothing(init: Init) -> None:
    """No daemon was started yet."""
    assert init.answer({"do": "status"}) == {"daemons": {}}


def test_signal_to_nobody(init: Init) -> None:
    """A daemon that does not run is named."""
    assert init.answer({"do": "signal", "name": "kubelet", "signal": 15}) == {"error": "kubelet does not run"}


def test_program_that_is_not_there(init: Init, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What cannot be started is an answer, not the end of the node."""
    log = str(tmp_path_factory.mktemp("logs") / "log")
    answer = init.answer({"do": "start", "name": "x", "argv": ["/no/such/program"], "log": log})
    assert answer["error"].startswith("cannot start x: ")
    assert init.answer({"do": "status"}) == {"daemons": {}}


def test_nobody_listens(init: Init) -> None:
    """A daemon that does not answer yet is an error, not an exception."""
    assert "error" in init.answer({"do": "get", "port": 1, "path": "/readyz"})


@pytest.mark.parametrize("verb", ["start", "signal", "get", "nothing"])
@given(rest=st.dictionaries(st.sampled_from(["name", "argv", "path"]), JSON))
def test_nonsense(init: Init, verb: str, rest: dict[str, Any]) -> None:
    """Requests without what they need, or with the wrong things, are refused with words."""
    assert init.answer({"do": verb, **rest})["error"].startswith("not understood")
