"""`cluster describe NAME`: head, groups, requests, addresses, recent events and next steps on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.harness.conditions import until
from tests.e2e.harness.objects import container, group, raycluster, suspended

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.logins import Logins
    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray


def test_a_ready_cluster(ray: Ray, kubectl: Kubectl, ready_cluster: str, namespace: str) -> None:
    """Who it is, how it is, what each part asks for, where it answers, what happened, what to do next."""
    page = ray(f"cluster describe {ready_cluster}").out
    service = kubectl.get("raycluster", ready_cluster)["status"]["head"]["serviceName"]
    for fact in (ready_cluster, namespace, "2.52.0", "default-worker-group", "1/1", "200m", service, "8265"):
        assert fact in page, fact
    assert "CreatedHeadPod" in page or "Created head" in page
    assert f"kubectl ray cluster scale default-worker-group --cluster {ready_cluster}" in page


def test_each_group(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Every group has its place with its numbers and GPUs."""
    name = fresh("page")
    kubectl.create(suspended(name, group("small", 2), group("large", 3, minimum=1, maximum=9)))
    page = ray(f"cluster describe {name}").out
    for fact in ("small", "large", "nvidia.com/gpu", "9"):
        assert fact in page or (fact == "nvidia.com/gpu" and "GPU" in page)


def test_why_it_is_not_ready(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """The scheduler's reason stands on the page."""
    name = fresh("page")
    nowhere = {"nodeSelector": {"nowhere": "here"}, "containers": [container("ray")]}
    kubectl.create(raycluster(name, headGroupSpec={"rayStartParams": {}, "template": {"spec": nowhere}}))
    until(
        lambda: any("FailedScheduling" in event.get("reason", "") for event in kubectl.all("events")),
        "the scheduler has said why",
    )
    page = ray(f"cluster describe {name}").out
    assert "0/1 nodes are available" in page


def test_unknown_name(ray: Ray, ready_cluster: str) -> None:
    """Exit code 5 and the near name."""
    assert f"Did you mean {ready_cluster}?" in ray(f"cluster describe {ready_cluster}y", code=5).err


def test_without_a_name(ray: Ray) -> None:
    """It is the only one, or there is none, or which one is asked for, naming some."""
    assert ray.outcome("cluster describe").code in {0, 2, 5}


def test_no_right_to_events(ray: Ray, ready_cluster: str, logins: Logins) -> None:
    """What may not be seen says so in its place; the rest of the page is there."""
    reader = logins.with_rights("no-events", ("ray.io", "rayclusters", "get,list"))
    page = ray.having(KUBECONFIG=reader)(f"cluster describe {ready_cluster}").out
    assert "default-worker-group" in page
    assert "no permission" in page
