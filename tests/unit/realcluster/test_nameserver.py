"""Names of services, as Kubernetes' DNS specification has them."""

from __future__ import annotations

from typing import Any

from tests.realcluster.nameserver import table


def service(name: str, address: str | None) -> dict[str, Any]:
    """A Service of namespace `team`."""
    return {"metadata": {"name": name, "namespace": "team"}, "spec": {"clusterIP": address} if address else {}}


def endpoints(of: str, *each: dict[str, Any]) -> dict[str, Any]:
    """A slice of that service's endpoints; the API server sends null for none."""
    labels = {"kubernetes.io/service-name": of}
    metadata = {"name": f"{of}-1", "namespace": "team", "labels": labels}
    return {"metadata": metadata, "addressType": "IPv4", "endpoints": list(each) or None}


def test_service_with_an_address() -> None:
    """Its name is its cluster address, whatever stands behind it."""
    names = table([service("web", "10.96.0.9")], [endpoints("web", {"addresses": ["10.244.0.2"]})])
    assert names == {"web.team.svc.cluster.local": ["10.96.0.9"]}


def test_headless_service() -> None:
    """Its name is the addresses of its ready pods."""
    slices = [
        endpoints("head", {"addresses": ["10.244.0.2"], "conditions": {"ready": True}}),
        endpoints("head", {"addresses": ["10.244.0.3"], "conditions": {"ready": False}}),
    ]
    assert table([service("head", "None")], slices) == {"head.team.svc.cluster.local": ["10.244.0.2"]}


def test_headless_service_without_pods() -> None:
    """The name exists all the same."""
    assert table([service("head", "None")], [endpoints("head")]) == {"head.team.svc.cluster.local": []}


def test_pods_with_a_host_name() -> None:
    """A pod that has a host name has a name below its service's."""
    names = table([service("db", "None")], [endpoints("db", {"addresses": ["10.244.0.2"], "hostname": "db-0"})])
    assert names["db-0.db.team.svc.cluster.local"] == ["10.244.0.2"]


def test_external_service() -> None:
    """One without an address of its own has no A record here."""
    assert table([service("outside", None)], []) == {}
