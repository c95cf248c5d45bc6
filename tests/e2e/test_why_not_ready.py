"""While a wait lasts it says why: what the operator, the scheduler or a quota stands in the way with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.harness.conditions import until
from tests.e2e.harness.objects import group, raycluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.harness.faults import Faults
    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray
    from tests.e2e.plugin import Suite

NOWHERE = "--head-node-selectors=nowhere=here --worker-node-selectors=nowhere=here"


@pytest.fixture
def apart(suite: Suite) -> Iterator[str]:
    """A namespace of the case's own, for quotas that must not trouble other cases."""
    name = f"{suite.namespace}-apart"
    suite.kubectl("create", "namespace", name)
    until(lambda: "default" in suite.kubectl("get", "serviceaccount", "-n", name, "-o", "name"), "its service account")
    yield name
    suite.kubectl("delete", "namespace", name, "--timeout=60s")


def create(kubectl: Kubectl, namespace: str, kind: str, spec: dict[str, Any]) -> None:
    """An object of v1 in a namespace."""
    kubectl(
        "create",
        "-n",
        namespace,
        "-f",
        "-",
        feed={"apiVersion": "v1", "kind": kind, "metadata": {"name": "fault"}, "spec": spec},
    )


def test_quota(ray: Ray, kubectl: Kubectl, apart: str) -> None:
    """A quota that refuses the head's pod is quoted."""
    create(kubectl, apart, "ResourceQuota", {"hard": {"pods": "0"}})
    until(lambda: "pods" in kubectl("get", "quota", "fault", "-n", apart, "-o", "jsonpath={.status.used}"), "the quota")
    said = ray(f"cluster create full -n {apart} --timeout=6s {NOWHERE}", code=3, within=60)
    assert "quota" in said.err


def test_limit_range(ray: Ray, kubectl: Kubectl, apart: str) -> None:
    """A limit of the namespace that the head exceeds is quoted."""
    create(kubectl, apart, "LimitRange", {"limits": [{"type": "Container", "max": {"memory": "512Mi"}}]})
    said = ray(f"cluster create large -n {apart} --timeout=6s {NOWHERE}", code=3, within=60)
    assert "512Mi" in said.err


def test_service_account_missing(ray: Ray, fresh: Callable[[str], str]) -> None:
    """An account that is not there is named."""
    name = fresh("why")
    said = ray(f"cluster create {name} --service-account=nobody-here --timeout=6s {NOWHERE}", code=3, within=60)
    assert "nobody-here" in said.err


def test_refused_by_the_operator(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A spec that the operator refuses with one event only: the event is found and quoted, and the wait ends."""
    name = fresh("why")
    kubectl.create(raycluster(name, group("bad", 2, minimum=3, maximum=1)))
    said = ray(f"cluster worker-group create good --cluster {name} --timeout=30s", code=3, within=60)
    assert "minReplicas" in said.err
    assert "Invalid" in said.err or "refuses" in said.err


@pytest.mark.full
def test_image_that_cannot_be_pulled(ray: Ray, fresh: Callable[[str], str]) -> None:
    """An image that does not exist is named as the reason."""
    name = fresh("why")
    small = "--head-cpu=100m --head-memory=2GB --worker-replicas=0"
    said = ray(f"cluster create {name} --image=localhost/no/such:1 {small} --timeout=30s", code=3, within=90)
    assert "cannot be pulled" in said.err


@pytest.mark.full
@pytest.mark.only("real", why="it takes the pod out of etcd behind the API server's back")
def test_a_head_that_died_is_not_ready(
    ray: Ray, kubectl: Kubectl, faults: Faults, fresh: Callable[[str], str], namespace: str
) -> None:
    """After the head's pod is lost the status says so at once, though the operator's `state` still says ready."""
    name = fresh("dead")
    ray(f"cluster create {name} --worker-replicas=0 --head-cpu=200m --head-memory=2GB")
    (head,) = kubectl.names("pods", f"ray.io/cluster={name}")
    faults.delete_pod(namespace, head)
    row = ray(f"cluster get {name} --no-headers").rows[0]
    assert kubectl.get("raycluster", name)["status"]["state"] == "ready"
    assert row[1].lower() != "ready"
    ready = until(
        lambda: "ready" in ray(f"cluster get {name} --no-headers").rows[0][1:2],
        "a new head is ready",
        within=120,
    )
    assert ready
