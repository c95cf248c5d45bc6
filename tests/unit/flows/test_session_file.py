"""One session's file."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.flows.session_file import Session, parse, text

FIELDS = {"server": "https://x", "namespace": "n", "kind": "raycluster", "name": "a"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def test_round_trip() -> None:
    """What is written is read."""
    session = Session(
        server="https://x",
        namespace="n",
        kind="rayservice",
        name="a",
        context="c",
        cluster="a-1",
        uid="u",
        ports={"client": 10001},
        addresses=["127.0.0.1"],
        since=1.5,
        background=True,
        log="/x.log",
        pid=7,
        host="h",
        machine="m/1",
        locked=False,
        id="abc",
    )
    assert parse(text(session), "abc") == session


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage(data: bytes) -> None:
    """Whatever a file holds: a session or None."""
    found = parse(data, "x")
    assert found is None or isinstance(found, Session)


@given(st.sampled_from(sorted(vars(Session(**FIELDS)))), JSON)  # type: ignore[arg-type]
def test_one_wrong_field(name: str, value: object) -> None:
    """A field of a wrong kind makes no session that somebody trips over later."""
    whole = json.loads(text(Session(**FIELDS, pid=7)))  # type: ignore[arg-type]
    found = parse(json.dumps({**whole, name: value}).encode(), "x")
    if found is not None:
        assert found.pid > 0
        assert all(map(str.isprintable, (found.name, found.context, found.log, found.host, *found.addresses)))
        assert all(0 < port < 65536 for port in found.ports.values())
        assert parse(text(found), "x") == found


def test_terminal_codes() -> None:
    """Text that a terminal would obey is no name."""
    assert parse(text(Session(**{**FIELDS, "name": "\x1b[2J"}, pid=7)), "x") is None  # type: ignore[arg-type]


def test_addresses() -> None:
    """IPv4 first, IPv6 in brackets."""
    assert Session(**FIELDS, ports={"client": 1}, addresses=["::1"]).url("client") == "ray://[::1]:1"  # type: ignore[arg-type]
    assert Session(**FIELDS, ports={"serve": 1}).url("serve") == "http://127.0.0.1:1"  # type: ignore[arg-type]
