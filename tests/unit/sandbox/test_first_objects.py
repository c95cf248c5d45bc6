"""`sandbox.first_objects`: what is there before anybody creates anything."""

from __future__ import annotations

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.first_objects import OPERATOR, OPERATOR_NAMESPACE, seed


def test_a_new_cluster() -> None:
    """Namespaces, Ray's kinds as served ones, the API's service, and an operator whose version can be read."""
    objects = Objects(Store())
    seed(objects)
    names = {each["metadata"]["name"] for each in objects.list(kinds.NAMESPACES)}
    assert {"default", "kube-system", OPERATOR_NAMESPACE} <= names
    for kind in (kinds.RAY_CLUSTERS, kinds.RAY_JOBS, kinds.RAY_SERVICES):
        defined = objects.get(kinds.CRDS, "", kind.resource)
        assert defined["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        assert [each["status"] for each in defined["status"]["conditions"]] == ["True", "True"]
        assert defined["status"]["storedVersions"] == ["v1"]
    assert objects.get(kinds.SERVICES, "default", "kubernetes")["spec"]["clusterIP"] == "10.96.0.1"
    operator = objects.get(kinds.DEPLOYMENTS, OPERATOR_NAMESPACE, OPERATOR)
    assert operator["spec"]["template"]["spec"]["containers"][0]["image"] == "quay.io/kuberay/operator:v1.6.2"
    assert operator["status"]["readyReplicas"] == 1


def test_a_second_time() -> None:
    """Nothing is written where all is as it should be."""
    objects = Objects(Store())
    seed(objects)
    before = objects.store.version
    seed(objects)
    assert objects.store.version == before


def test_what_a_user_changed() -> None:
    """It stays, or comes back where the cluster cannot be without; definitions are this version's."""
    objects = Objects(Store())
    seed(objects)
    name = kinds.RAY_JOBS.resource
    objects.edit(kinds.CRDS, "", name, lambda body: body["spec"]["names"].update(shortNames=["mine"]))
    objects.edit(kinds.NAMESPACES, "", "default", lambda body: body["metadata"].update(labels={"mine": "yes"}))
    objects.delete(kinds.SERVICES, "default", "kubernetes", grace=0)
    seed(objects)
    assert "shortNames" not in objects.get(kinds.CRDS, "", name)["spec"]["names"]
    assert objects.get(kinds.NAMESPACES, "", "default")["metadata"]["labels"]["mine"] == "yes"
    assert objects.find(kinds.SERVICES, "default", "kubernetes") is not None
