"""--dry-run on everything that writes: the same words everywhere, and nothing is left in the cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.e2e.harness.objects import suspended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.harness.front import Front
    from tests.e2e.harness.running import Ray
    from tests.e2e.plugin import Suite

THERE = "dry-there"
WRITERS = {
    "create": "cluster create dry-new --worker-replicas=2",
    "scale": f"cluster scale --cluster {THERE} --replicas=5",
    "worker-group create": f"cluster worker-group create pool --cluster {THERE} --worker-replicas=3",
    "delete": f"cluster delete {THERE} --yes",
    "other create": "create cluster dry-new --worker-replicas 2",
    "other create workergroup": f"create workergroup pool --ray-cluster {THERE}",
    "other scale": f"scale cluster {THERE} -w default-worker-group -r 5",
    "other delete": f"delete {THERE} --yes",
}


@pytest.fixture(scope="module")
def there(suite: Suite) -> Iterator[None]:
    """A cluster to write to."""
    suite.kubectl.create(suspended(THERE))
    yield
    suite.kubectl("delete", "raycluster", THERE, "--wait=false", "--ignore-not-found")


def seen(suite: Suite) -> dict[str, Any]:
    """Every Ray cluster's name, spec and whether it is on its way out."""
    return {
        item["metadata"]["name"]: (json.dumps(item["spec"]), "deletionTimestamp" in item["metadata"])
        for item in suite.kubectl.all("raycluster")
    }


@pytest.mark.parametrize("mode", ["--dry-run=client", "--dry-run=server", "--dry-run", "--dry-run=true"])
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.usefixtures("there")
def test_leaves_nothing(suite: Suite, writer: str, mode: str) -> None:
    """Each says something and changes nothing; bare --dry-run is the client's."""
    before = seen(suite)
    assert suite.ray(f"{WRITERS[writer]} {mode}").out.strip()
    assert seen(suite) == before


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("mode", ["client", "server"])
@pytest.mark.usefixtures("there")
def test_shows_the_object(suite: Suite, writer: str, mode: str) -> None:
    """-o yaml is one RayCluster, and nothing else on stdout."""
    shown = yaml.safe_load(suite.ray(f"{WRITERS[writer]} --dry-run={mode} -o yaml").out)
    assert shown["kind"] == "RayCluster"
    assert shown["apiVersion"] == "ray.io/v1"


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.usefixtures("there")
def test_client_mode_writes_nothing_on_the_wire(front: Front, ray_by_front: Ray, writer: str) -> None:
    """Nothing is sent that could write, not even as a dry run; who is logged in may be asked."""
    ray_by_front(f"{WRITERS[writer]} --dry-run=client")
    written = [request for request in front.requests if not request.startswith("GET ") and "reviews" not in request]
    assert written == []


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.usefixtures("there")
def test_server_mode_says_so_on_the_wire(front: Front, ray_by_front: Ray, writer: str) -> None:
    """Every writing request carries dryRun=All, a deletion in its body."""
    ray_by_front(f"{WRITERS[writer]} --dry-run=server")
    sent = [
        (request, body)
        for request, body in zip(front.requests, front.bodies, strict=True)
        if not request.startswith("GET ") and "reviews" not in request
    ]
    assert sent
    for request, body in sent:
        options = json.loads(body) if request.startswith("DELETE") and body else {}
        assert "dryRun=All" in request or options.get("dryRun") == ["All"], (request, body)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.usefixtures("there")
def test_unknown_mode(suite: Suite, writer: str) -> None:
    """Another word is refused, and nothing happens."""
    before = seen(suite)
    assert "maybe" in suite.ray(f"{WRITERS[writer]} --dry-run=maybe", code=2).err
    assert seen(suite) == before


@pytest.mark.usefixtures("there")
def test_server_refuses_unknown_fields(suite: Suite, front: Front, ray_by_front: Ray) -> None:
    """Every write asks for strict checking of fields, so that none is dropped without a word."""
    for writer in ("create", "scale", "worker-group create"):
        ray_by_front(f"{WRITERS[writer]} --dry-run=server")
    written = [
        request for request in front.requests if request.startswith(("POST", "PATCH")) and "rayclusters" in request
    ]
    assert len(written) == 3
    assert all("fieldValidation=Strict" in request for request in written), written
    assert all("fieldManager=kubectl-ray" in request for request in written), written
    assert "dry-new" not in suite.kubectl.names("raycluster")
