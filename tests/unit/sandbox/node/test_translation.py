"""Paths and addresses inside a container, on this machine."""
# ruff: noqa: S108 - paths inside of containers

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.node.translation import Translation


def service(name: str, namespace: str, port: int) -> int | None:
    """The services of the tests."""
    return {("c-head-svc", "ns", 6379): 21001, ("c-head-svc", "ns", 8265): 21002}.get((name, namespace, port))


MEANING = Translation(
    "ns", [("/tmp/ray", "/x/ray"), ("/data", "/x/v0"), ("/data/deep", "/x/v1")], {8265: 22000, 6379: 22001}, service
)


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ("/tmp/ray", "/x/ray"),
        ("ls /tmp/ray/session_latest/logs", "ls /x/ray/session_latest/logs"),
        ("--temp-dir=/tmp/ray", "--temp-dir=/x/ray"),
        ("PYTHONPATH=/data:/data/deep/x", "PYTHONPATH=/x/v0:/x/v1/x"),
        ("file:///data/f", "file:///x/v0/f"),
        ("cat '/data/a b'", "cat '/x/v0/a b'"),
        ("/tmp/rays /database /my/data http://h/data", "/tmp/rays /database /my/data http://h/data"),
        ("/data.txt ./data ~/data $X/data", "/data.txt ./data ~/data $X/data"),
        ("c-head-svc.ns.svc.cluster.local:6379", "127.0.0.1:21001"),
        ("http://c-head-svc.ns.svc:8265/api", "http://127.0.0.1:21002/api"),
        ("c-head-svc:6379 c-head-svc.ns:8265", "127.0.0.1:21001 127.0.0.1:21002"),
        ("c-head-svc.ns.svc.cluster.local", "c-head-svc.ns.svc.cluster.local"),
        ("other.ns.svc.cluster.local:6379 rayproject/ray:2", "other.ns.svc.cluster.local:6379 rayproject/ray:2"),
        ("curl localhost:8265/a 127.0.0.1:6379", "curl 127.0.0.1:22000/a 127.0.0.1:22001"),
        ("localhost:80 10.127.0.0.1:8265 notlocalhost:8265", "localhost:80 10.127.0.0.1:8265 notlocalhost:8265"),
        ("localhost:82650", "localhost:82650"),
    ],
)
def test_texts(inside: str, outside: str) -> None:
    """Whole paths and addresses only."""
    assert MEANING.text(inside) == outside


def test_a_path_is_taken_whole() -> None:
    """The longest mount wins."""
    assert MEANING.path("/data/deep/x") == "/x/v1/x"
    assert MEANING.path("/elsewhere") == "/elsewhere"


@given(st.text())
def test_any_text_can_be_translated(text: str) -> None:
    """And stays as it is where nothing of the pod is in it."""
    assert isinstance(MEANING.text(text), str)
    if not any(each in text for each in ("/tmp/ray", "/data", ":")):
        assert MEANING.text(text) == text
