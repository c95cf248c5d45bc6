"""Services, rights and the token's secret; recorded ones are compared in `parity`."""

from __future__ import annotations

import base64

import pytest

from kubectl_ray.sandbox.operator import services
from tests.unit.sandbox.operator.clusters import cluster, container, with_metadata


def test_a_head_with_named_ports_gets_those_and_metrics() -> None:
    """Serve is gone when the container names others; a port without a name is called by its number."""
    ports = [{"name": "dashboard", "containerPort": 9000}, {"containerPort": 7777}]
    made = services.head_service(cluster(pod={"containers": [container(ports=ports)]}))
    found = {port["name"]: port["port"] for port in made["spec"]["ports"]}
    assert found == {"7777-port": 7777, "dashboard": 9000, "metrics": 8080}


def test_another_type_is_not_headless() -> None:
    """It has an address then."""
    made = services.head_service(cluster(head={"serviceType": "NodePort"}))["spec"]
    assert made["type"] == "NodePort"
    assert "clusterIP" not in made


def test_the_users_own_head_service_is_completed() -> None:
    """Name and annotations are theirs; selector and labels the operator's; its ports come after theirs."""
    own = {
        "metadata": {"name": "mine", "labels": {"a": "1"}, "annotations": {"b": "2", "c": "3"}},
        "spec": {"selector": {"x": "y"}, "ports": [{"name": "extra", "port": 1}]},
    }
    made = services.head_service(
        cluster(head={"headService": own, "serviceType": "LoadBalancer"}, headServiceAnnotations={"c": "4"})
    )
    assert made["metadata"]["name"] == "mine"
    assert made["metadata"]["annotations"] == {"b": "2", "c": "4"}
    assert made["metadata"]["labels"]["a"] == "1"
    assert made["spec"]["selector"] == services.head_labels(cluster())
    assert [port["name"] for port in made["spec"]["ports"]][:2] == ["extra", "client"]
    assert made["spec"]["type"] == "LoadBalancer"


def test_annotations_of_the_head_service() -> None:
    """As the spec says."""
    made = services.head_service(cluster(headServiceAnnotations={"a": "b"}))
    assert made["metadata"]["annotations"] == {"a": "b"}


def test_the_app_label_of_the_template_selects() -> None:
    """A template may have another app.kubernetes.io/name, and its pods have to be found."""
    of = cluster()
    of["spec"]["headGroupSpec"]["template"]["metadata"] = {"labels": {"app.kubernetes.io/name": "mine"}}
    assert services.head_service(of)["spec"]["selector"]["app.kubernetes.io/name"] == "mine"


def test_a_serve_service_has_the_ports_for_serving() -> None:
    """`serve` and `serve-…`."""
    ports = [{"name": "serve", "containerPort": 8000}, {"name": "serve-grpc", "containerPort": 9000}]
    made = services.serve_service(cluster(pod={"containers": [container(ports=ports)]}))
    assert [port["port"] for port in made["spec"]["ports"]] == [8000, 9000]
    assert made["spec"]["selector"] == {"ray.io/cluster": "c"}


def test_no_serve_service_without_a_port_for_it() -> None:
    """The operator says which one is missing."""
    of = cluster(pod={"containers": [container(ports=[{"name": "dashboard", "containerPort": 8265}])]})
    with pytest.raises(services.NoServePortError, match="Please specify a port named 'serve'"):
        services.serve_service(of)


def test_tokens_are_random() -> None:
    """44 letters, another one each time, in a secret of the cluster's name."""
    made = [services.token_secret(cluster()) for _ in range(2)]
    tokens = {base64.b64decode(each["data"]["auth_token"]) for each in made}
    assert {len(each) for each in tokens} == {44}
    assert len(tokens) == 2
    assert made[0]["metadata"]["name"] == "c"


@pytest.mark.parametrize(("name", "short"), [("a" * 53, "a" * 50), ("abc1" + "2" * 49, "r" + "2" * 49)])
def test_long_names_of_rights_are_cut_in_front(name: str, short: str) -> None:
    """The last 50 letters, never beginning with a digit."""
    of = with_metadata(cluster(), name=name)
    made = (services.service_account(of), services.role(of), services.role_binding(of))
    assert {each["metadata"]["name"] for each in made} == {short}


def test_the_binding_is_for_the_heads_account() -> None:
    """The template's, where it names one."""
    of = cluster(pod={"containers": [container()], "serviceAccountName": "mine"})
    assert services.role_binding(of)["subjects"] == [{"kind": "ServiceAccount", "name": "mine", "namespace": "n"}]
