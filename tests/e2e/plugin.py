"""Fixtures of the suites here and in tests/faults: one login and namespace a run, the judge, one ready cluster shared.

`-m 'not full'` is the main part, which CI runs. The cases that need the whole node come first.
"""

from __future__ import annotations

import itertools
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import faults as ours
from tests.e2e.harness import heads, place
from tests.e2e.harness.faults import Faults
from tests.e2e.harness.front import Front
from tests.e2e.harness.logins import TUNNELLER, Logins
from tests.e2e.harness.oracle import Kubectl
from tests.e2e.harness.running import Ray, environment
from tests.e2e.harness.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


READY = "ready"
STAND_IN = "stand-in"
SMALL = "--head-cpu=200m --head-memory=2GB --worker-cpu=200m --worker-memory=1GB"
"""The least that a Ray head and worker live with."""


@dataclass(frozen=True)
class Suite:
    """What one run has: a namespace, a login for it, and a folder for files."""

    namespace: str
    folder: Path
    kubectl: Kubectl
    ray: Ray


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks; let `kill` end a run as Ctrl-C does, so that its namespace is removed."""
    config.addinivalue_line("markers", "full: not in the main part: slow, or disturbs the whole cluster")
    config.addinivalue_line("markers", "alone: needs the whole node, so it comes before the shared cluster is made")
    config.addinivalue_line("markers", "only(place, why): a case that one of `real` and `sandbox` alone can offer")
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cases that need the whole node come first; pods take their time, so a case may take minutes."""
    items.sort(key=lambda item: item.get_closest_marker("alone") is None)
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(420))


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """The run's namespace, removed at the end whatever happened."""
    folder = tmp_path_factory.mktemp("suite")
    namespace = place.new_name()
    try:
        kubeconfig = place.login(folder, namespace)
    except place.NoCluster as error:
        pytest.exit(str(error), returncode=2)
    env = environment(kubeconfig, folder)
    kubectl = Kubectl(env, folder)
    try:
        place.make(kubectl, namespace)
        yield Suite(namespace, folder, kubectl, Ray(env, folder))
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would leave the namespace behind
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        place.remove(kubectl, namespace)


@pytest.fixture(scope="session")
def where(suite: Suite) -> str:
    """What the suite runs on: `real`, the cluster of `make cluster-up`; `sandbox`; or `other`."""
    if "sandbox" in suite.kubectl("get", "--raw", "/version"):
        return "sandbox"
    return "real" if ours.of(suite.kubectl) else "other"


@pytest.fixture(autouse=True)
def offered(request: pytest.FixtureRequest) -> None:
    """Leave out a case that this cluster cannot offer, with the reason."""
    mark = request.node.get_closest_marker("only")
    if mark is not None and mark.args[0] != request.getfixturevalue("where"):
        pytest.skip(f"needs {mark.args[0]}: {mark.kwargs['why']}")


@pytest.fixture
def ray(suite: Suite) -> Ray:
    """Runs `kubectl ray …` with the suite's login."""
    return suite.ray


@pytest.fixture
def kubectl(suite: Suite) -> Kubectl:
    """Kubectl with the same login: the judge."""
    return suite.kubectl


@pytest.fixture
def namespace(suite: Suite) -> str:
    """The run's namespace."""
    return suite.namespace


@pytest.fixture(scope="session")
def logins(suite: Suite) -> Logins:
    """Kubeconfigs of other users."""
    folder = suite.folder / "logins"
    folder.mkdir()
    return Logins(suite.kubectl, suite.namespace, folder)


@pytest.fixture(scope="session")
def ready_cluster(suite: Suite) -> Iterator[str]:
    """The name of a cluster that is ready: a head, and one worker in default-worker-group. Cases leave it as it is."""
    suite.ray(f"cluster create {READY} --worker-replicas=1 {SMALL}")
    yield READY
    suite.kubectl("delete", "raycluster", READY, "--wait=false")


@pytest.fixture(scope="session")
def stand_in(suite: Suite) -> Iterator[str]:
    """The name of a Ray cluster whose head is a small program that sends bytes. Cases leave it as it is."""
    heads.cluster(suite.kubectl, STAND_IN)
    heads.head(suite.kubectl, STAND_IN, f"{STAND_IN}-head")
    yield STAND_IN
    suite.kubectl("delete", "raycluster", STAND_IN, "--wait=false")


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Numbers that no case had before."""
    return itertools.count(1)


@pytest.fixture
def fresh(suite: Suite, numbers: Iterator[int]) -> Iterator[Callable[[str], str]]:
    """Makes names of clusters that no case had before; clusters of these names are deleted after the case."""
    made: list[str] = []

    def name(beginning: str = "c") -> str:
        made.append(f"{beginning}-{next(numbers)}")
        return made[-1]

    yield name
    if made:
        suite.kubectl("delete", "raycluster", *made, "--ignore-not-found", "--wait=false")


@pytest.fixture
def front(suite: Suite) -> Iterator[Front]:
    """A server before the API server that can misbehave."""
    with Front(suite.kubectl.env) as server:
        yield server


@pytest.fixture
def ray_by_front(ray: Ray, front: Front, logins: Logins) -> Ray:
    """Runs the plugin with a login that reaches the API server through the front."""
    return ray.having(KUBECONFIG=logins.write("front", server={"server": front.url}))


@pytest.fixture
def wire(logins: Logins) -> Iterator[Wire]:
    """A stretch of the way to the API server that can go bad."""
    with Wire(logins.server) as stretch:
        yield stretch


@pytest.fixture
def ray_by_wire(ray: Ray, wire: Wire, logins: Logins) -> Ray:
    """Runs the plugin by that way, with a login that has the rights to a session and no others."""
    token = json.loads(Path(logins.with_rights("tunneller", *TUNNELLER)).read_text())["users"][0]["user"]
    return ray.having(KUBECONFIG=logins.write("wire", server=wire.entry, user=token))


@pytest.fixture
def faults() -> Faults:
    """Faults of the real cluster, mended after the case; for cases that are marked as its own."""
    return Faults()
