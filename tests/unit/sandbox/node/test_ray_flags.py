"""What becomes of the flags of `ray start` in a pod."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.node.ray_flags import LEAST_STORE, Pod, start_arguments

POD = Pod(
    folder="/t/ray",
    memory=2 << 30,
    ports={6379: 20001, 8265: 20002, 10001: 20003, 52365: 20004, 8080: 20005, 9999: 20006},
    services={"c-head-svc.ns": {6379: 21001}},
    namespace="ns",
)


def flags(line: str, **more: int) -> dict[str, str]:
    """As a table."""
    told = start_arguments(line.split(), POD, **more)
    return {each.removeprefix("--").partition("=")[0]: each.partition("=")[2] for each in told}


def test_a_head_gets_this_machines_ports_and_folder() -> None:
    """The operator's own flags stay."""
    line = "--head --block --dashboard-agent-listen-port=52365 --dashboard-host=0.0.0.0 --metrics-export-port=8080"
    assert flags(f"{line} --num-cpus=1") == {
        "head": "",
        "block": "",
        "dashboard-agent-listen-port": "20004",
        "dashboard-host": "127.0.0.1",
        "metrics-export-port": "20005",
        "num-cpus": "1",
        "port": "20001",
        "dashboard-port": "20002",
        "ray-client-server-port": "20003",
        "node-ip-address": "127.0.0.1",
        "min-worker-port": "0",
        "max-worker-port": "0",
        "temp-dir": "/t/ray",
        "object-store-memory": str(int((2 << 30) * 0.3)),
    }


def test_a_worker_gets_no_flags_of_a_head() -> None:
    """Ray refuses `--port` and `--temp-dir` there."""
    found = flags("--address=c-head-svc:6379 --block")
    assert found["address"] == "127.0.0.1:21001"
    assert not {"port", "temp-dir", "dashboard-port", "dashboard-host"} & set(found)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("--head --port=9999", "port", "20006"),
        ("--head --dashboard-port 9999", "dashboard-port", "20006"),
        ("--head --object-manager-port=8076", "object-manager-port", "0"),
        ("--head --object-store-memory=100", "object-store-memory", "100"),
        ("--head --port=no", "port", "no"),
        ("--head --bogus", "bogus", ""),
        ('--head --resources={"a":1}', "resources", '{"a":1}'),
        ("--address=elsewhere:1", "address", "elsewhere:1"),
        ("--port=9999", "port", "20006"),
    ],
)
def test_what_the_user_says_is_kept(line: str, name: str, value: str) -> None:
    """Moved where it is a port; wrong flags are Ray's to refuse."""
    assert flags(line)[name] == value


def test_the_object_store_fits_the_shared_memory() -> None:
    """And is never smaller than Ray wants it."""
    assert flags("--head", shared_memory=300 << 20)["object-store-memory"] == str(150 << 20)
    assert flags("--head", shared_memory=1 << 20)["object-store-memory"] == str(LEAST_STORE)
    assert start_arguments(["--head"], Pod(folder="/t"))[-1] == "--temp-dir=/t"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://c-head-svc.ns.svc.cluster.local:6379/x", "http://127.0.0.1:21001/x"),
        ("ray://localhost:10001", "ray://127.0.0.1:20003"),
        ("127.0.0.1:6379", "127.0.0.1:20001"),
        ("127.0.0.1:1", "127.0.0.1:1"),
        ("c-head-svc:1", "c-head-svc:1"),
        ("auto", "auto"),
    ],
)
def test_addresses(text: str, expected: str) -> None:
    """Of services and of the pod itself."""
    assert POD.address(text) == expected


@given(st.lists(st.text()))
def test_any_arguments_can_be_read(arguments: list[str]) -> None:
    """Nothing is lost that is no flag."""
    told = start_arguments(arguments, POD)
    assert [each for each in told if not each.startswith("--")] == [
        each for each in told if each in arguments and not each.startswith("--")
    ]
