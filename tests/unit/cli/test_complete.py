"""What completion proposes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.cli.complete import DIRECTORIES, FILES, NO_FILES, NO_SPACE, complete
from tests.wire.server import ApiServer

if TYPE_CHECKING:
    from collections.abc import Iterator

NOWHERE = {"HOME": "/nonexistent"}


def proposed(line: str, env: dict[str, str] | None = None) -> tuple[list[str], int]:
    """The candidates for the last word of a line, without their help, and the directive."""
    *lines, last = complete(shlex.split(line), env or NOWHERE).splitlines()
    return [text.split("\t")[0] for text in lines], int(last.removeprefix(":"))


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """A server with two clusters."""
    with ApiServer() as server:
        for name, groups in (("alpha", ["cpus", "gpus"]), ("beta", ["cpus"])):
            server.add(
                {
                    "apiVersion": "ray.io/v1",
                    "kind": "RayCluster",
                    "metadata": {"name": name, "namespace": "default"},
                    "spec": {"workerGroupSpecs": [{"groupName": group} for group in groups]},
                }
            )
        train = {"name": "train", "namespace": "default"}
        server.add({"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": train})
        server.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
        yield server


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("''", ["cluster", "version", "completion", "help", "options"]),
        ("cl", ["cluster"]),
        ("clusters l", ["list"]),
        ("cluster worker-group ''", ["list", "create"]),
        ("cluster workergroup c", ["create"]),
        ("ge", ["get"]),
        ("get ''", ["cluster", "nodes", "worker-group"]),
        ("help cluster sc", ["scale"]),
        ("-n foo cluster sca", ["scale"]),
        ("completion z", ["zsh"]),
        ("cluster list -o j", ["json", "jsonpath="]),
        ("cluster list --output=y", ["yaml"]),
        ("cluster list -output=y", ["yaml"]),
        ("cluster create --dry-run=s", ["server"]),
        ("version -o ''", ["json", "yaml"]),
        ("cluster create --worker-mem", ["--worker-memory"]),
        ("--kubec", ["--kubeconfig"]),
    ],
)
def test_words_flags_and_values(line: str, some: list[str]) -> None:
    """All that needs no server."""
    found, directive = proposed(line)
    assert set(some) <= set(found)
    assert directive & NO_FILES


def test_help_stands_behind_a_tab() -> None:
    """The shell shows it beside the candidate."""
    assert complete(["cluster", "sca"], NOWHERE).splitlines()[0] == "scale\tchange how many workers a group has"


def test_a_flag_once_given_is_not_proposed_again() -> None:
    """But one that may be given several times is."""
    found, _directive = proposed("cluster scale --replicas=3 -")
    assert "--replicas" not in found
    assert "--min-replicas" in found


def test_a_value_with_a_rest_gets_no_space() -> None:
    """`jsonpath=` wants to be written on."""
    assert proposed("cluster list -o jsonp") == (["jsonpath="], NO_FILES | NO_SPACE)


def test_files() -> None:
    """Where a file is wanted the shell completes."""
    assert proposed("cluster create --file ''") == ([], FILES)
    assert proposed("cluster list --kubeconfig=''") == ([], FILES)
    assert proposed("cluster list --cache-dir ''") == ([], DIRECTORIES)
    assert proposed("cluster create x -- ''") == ([], FILES)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("cluster get ''", ["alpha", "beta"]),
        ("cluster session ''", ["alpha", "beta"]),
        ("cluster session a", ["alpha"]),
        ("cluster session rayclusters/b", ["rayclusters/beta"]),
        ("cluster session rayjob/", ["rayjob/train"]),
        ("cluster session nosuch/", []),
        ("cluster dashboard ''", ["alpha", "beta"]),
        ("session ''", ["list", "stop", "alpha", "beta"]),
        ("cluster describe al", ["alpha"]),
        ("cluster delete alpha ''", ["beta"]),
        ("cluster scale -c ''", ["alpha", "beta"]),
        ("cluster scale -c alpha ''", ["cpus", "gpus"]),
        ("cluster scale ''", ["cpus", "gpus"]),
        ("cluster scale cpus ''", []),
        ("scale cluster b", ["beta"]),
        ("scale cluster beta -w ''", ["cpus"]),
        ("cluster list -n def", ["default"]),
        ("cluster create ''", []),
        ("cluster list --context ''", ["wire"]),
        ("cluster get '' -n other", []),
    ],
)
def test_live_names(api: ApiServer, line: str, names: list[str]) -> None:
    """Names of clusters, groups, namespaces and contexts, as they are now."""
    words = shlex.split(line)
    if words[-2:] == ["-n", "other"]:
        words = [*words[-2:], *words[:-2]]
    assert proposed(shlex.join(words), api.env)[0] == names


def test_names_cost_one_request(api: ApiServer) -> None:
    """Only the names of the objects are asked for."""
    proposed("cluster get ''", api.env)
    (request,) = api.requests
    assert "PartialObjectMetadataList" in request.headers["accept"]


def test_words_ask_nobody(api: ApiServer) -> None:
    """Words and flags are known here."""
    proposed("cluster ''", api.env)
    proposed("cluster create --", api.env)
    assert not api.requests


@pytest.mark.parametrize("trouble", ["down", "denied", "garbage"])
def test_trouble_is_silent(api: ApiServer, trouble: str) -> None:
    """Whatever the server does, the line that is typed stays clean."""
    if trouble == "down":
        api.stop()
    elif trouble == "denied":
        api.deny("*", "*")
    else:
        api.fault("rayclusters", status=200, body=b"{")
    assert proposed("cluster get ''", api.env) == ([], NO_FILES)


def test_no_login_is_silent() -> None:
    """No kubeconfig at all."""
    assert proposed("cluster get ''") == ([], NO_FILES)


def test_types_of_a_session(api: ApiServer) -> None:
    """A type is a beginning: no space comes behind it."""
    assert proposed("cluster session rayj", api.env) == (["rayjob/"], NO_FILES | NO_SPACE)


def test_ports_of_a_session() -> None:
    """Which port comes before its number."""
    assert proposed("cluster session x --port d") == (["dashboard="], NO_FILES | NO_SPACE)
    assert proposed("cluster session x --ports a") == (["all"], NO_FILES)
