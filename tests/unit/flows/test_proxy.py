"""The way to Ray's dashboard through the API server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_ray.flows.proxy import dashboard

if TYPE_CHECKING:
    from kubectl_ray.kube.client import Client
    from tests.kuberay import World


def test_by_the_ports_name(world: World, client: Client) -> None:
    """The head's service is asked at the port called dashboard, whatever its number is."""
    assert dashboard(client, "default", "a-head-svc").answers() is True
    assert world.api.requests[0].path == ("/api/v1/namespaces/default/services/a-head-svc:dashboard/proxy/api/version")


def test_jobs(world: World, client: Client) -> None:
    """Jobs come back as Ray tells them."""
    world.ray["/api/jobs/"] = 200, [{"submission_id": "train", "status": "RUNNING"}]

    assert dashboard(client, "default", "a-head-svc").running_jobs() == ["train"]


def test_no_right(world: World, client: Client) -> None:
    """Kubernetes' own refusal says nothing about Ray."""
    world.api.fail(403, "Forbidden", 'services "a-head-svc" is forbidden', path="/proxy/")

    assert dashboard(client, "default", "a-head-svc").answers() is None


def test_the_head_is_not_up(world: World, client: Client) -> None:
    """503 is Kubernetes' word for a head that does not listen yet: asked once, not retried here."""
    world.api.fail(503, "ServiceUnavailable", "dial tcp: connection refused", path="/proxy/", times=None)

    assert dashboard(client, "default", "a-head-svc").answers() is False
    assert client.requests == 1


@pytest.mark.parametrize("what", ["answers", "running_jobs"])
def test_no_way(world: World, client: Client, what: str) -> None:
    """A connection that breaks is silence, not an error."""
    world.api.fault("/proxy/", drop=True, times=None)
    asked = dashboard(client, "default", "a-head-svc")

    assert not getattr(asked, what)()
    assert asked.silent
