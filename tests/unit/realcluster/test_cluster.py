"""The parts of the cluster that need no cluster."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.realcluster import daemons, status
from tests.realcluster.cluster import content_name, free_port, is_established
from tests.realcluster.image import Image, Layer
from tests.realcluster.places import API_PORT

BUILT = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kuberay-operator",
)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, False),
        ({"conditions": None}, False),
        ({"conditions": [{"type": "NamesAccepted", "status": "True"}]}, False),
        ({"conditions": [{"type": "Established", "status": "False"}]}, False),
        ({"conditions": [{"type": "Established", "status": "True"}]}, True),
    ],
)
def test_established(told: dict[str, Any], expected: bool) -> None:
    """A definition is served once its condition says so; in its first moments the conditions are null."""
    assert is_established({"status": told}) is expected


def test_changed_layer_is_another_content() -> None:
    """An image of the same name with another layer is loaded again."""
    one, two = (Image("x", [Layer(Path("layer.tar"), digest * 64)], "amd64") for digest in "ab")
    assert content_name(one) != content_name(two)


def test_taken_port_is_not_chosen() -> None:
    """Where another program has the API server's port, any free one will do."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", API_PORT))
            other.listen()
        except OSError:
            pass  # somebody has it already: just as good
        assert free_port() not in {0, API_PORT}


def test_every_part_has_a_daemon() -> None:
    """Each daemon is started from a program that is there, under its own name."""
    table = daemons.table({name: Path("/bin") / name for name in BUILT}, Path("/state"), 6443)
    assert {*BUILT, "containerd", "nameserver", "forward"} == set(table)
    assert [name for name, daemon in table.items() if daemon.outside] == ["forward"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"running": True, "pid": 7, "memory": 50 << 20, "paused": False}, "4711      50 MiB"),
        ({"running": True, "pid": 7, "memory": 50 << 20, "paused": True}, "4711      50 MiB paused"),
        ({"running": False, "code": -9}, "ended with -9"),
    ],
)
def test_status_row(state: dict[str, Any], words: str) -> None:
    """A daemon's process number is that of this machine."""
    assert status.row(state, {7: 4711}) == words
