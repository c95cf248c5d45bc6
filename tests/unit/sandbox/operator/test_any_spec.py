"""Whatever the schema lets through, the operator makes of it what it can, and never breaks."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.shapes import admit_shape
from kubectl_ray.sandbox.operator import pods, services, spec, status, validation
from tests.unit.sandbox.operator.clusters import cluster, with_metadata

Object = dict[str, Any]

words = st.text(max_size=8)
amounts = st.one_of(st.integers(-5, 10**12), st.sampled_from(["1", "200m", "1.5Gi", "1e3", "-1", "0", "9E9", "1n"]))
resources = st.dictionaries(st.sampled_from(["cpu", "memory", "nvidia.com/gpu", "google.com/tpu", "a/b"]), amounts)
params = st.dictionaries(
    st.one_of(
        words, st.sampled_from(["port", "num-cpus", "resources", "labels", "dashboard-port", "plasma-directory"])
    ),
    st.one_of(words, st.sampled_from(["true", "False", "1", "'{\"a\": 1}'", "[]", "99999999999999999999"])),
    max_size=3,
)
ports = st.lists(st.fixed_dictionaries({"containerPort": st.integers(1, 65535)}, optional={"name": words}), max_size=2)
containers = st.fixed_dictionaries(
    {"name": words},
    optional={
        "image": words,
        "command": st.lists(words, max_size=2),
        "args": st.lists(words, max_size=2),
        "env": st.lists(st.fixed_dictionaries({"name": words}, optional={"value": words}), max_size=2),
        "ports": ports,
        "resources": st.fixed_dictionaries({}, optional={"limits": resources, "requests": resources}),
    },
)
templates = st.fixed_dictionaries(
    {"spec": st.fixed_dictionaries({"containers": st.lists(containers, min_size=1, max_size=1)})},
    optional={
        "metadata": st.fixed_dictionaries({}, optional={"labels": st.dictionaries(words, words), "name": words}),
    },
)
heads = st.fixed_dictionaries(
    {"template": templates},
    optional={
        "rayStartParams": params,
        "resources": st.dictionaries(words, words, max_size=2),
        "labels": st.dictionaries(words, words, max_size=2),
        "headService": st.fixed_dictionaries({}, optional={"spec": st.fixed_dictionaries({"ports": st.just([])})}),
    },
)
numbers = st.integers(-3, 5)
groups = st.fixed_dictionaries(
    {"groupName": words, "template": templates},
    optional={
        "replicas": numbers,
        "minReplicas": numbers,
        "maxReplicas": numbers,
        "numOfHosts": numbers,
        "rayStartParams": params,
        "suspend": st.booleans(),
        "idleTimeoutSeconds": numbers,
        "scaleStrategy": st.fixed_dictionaries({}, optional={"workersToDelete": st.lists(words, max_size=1)}),
    },
)
specs = st.fixed_dictionaries(
    {"headGroupSpec": heads},
    optional={
        "rayVersion": words,
        "workerGroupSpecs": st.lists(groups, max_size=2),
        "enableInTreeAutoscaling": st.booleans(),
        "autoscalerOptions": st.fixed_dictionaries({}, optional={"version": st.sampled_from(["v1", "v2"])}),
        "authOptions": st.fixed_dictionaries({}, optional={"mode": st.sampled_from(["token", "disabled"])}),
        "gcsFaultToleranceOptions": st.fixed_dictionaries({"redisAddress": words}),
        "upgradeStrategy": st.fixed_dictionaries({}, optional={"type": st.sampled_from(["Recreate", "None"])}),
        "suspend": st.booleans(),
    },
)
annotation = st.dictionaries(st.sampled_from(["ray.io/ft-enabled", "ray.io/overwrite-container-cmd"]), words)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(specs, annotation, st.sampled_from(["", "RayJob", "RayService"]))
def test_any_spec(of: Object, annotated: dict[str, str], maker: str) -> None:
    """It is refused in words, or pods, services and a status are made of it; the cluster itself stays as it is."""
    made = with_metadata(cluster(), annotations=annotated, labels={"ray.io/originated-from-crd": maker})
    made["spec"] = of
    try:
        made = admit_shape(kinds.RAY_CLUSTERS, made, strict="Ignore")[0]
    except Refused:
        return
    before = copy.deepcopy(made)
    validation.upgrade_fault(made)
    if validation.spec_fault(made["spec"], annotated):
        return
    head, service = pods.head_pod(made), services.head_service(made)
    workers = [pods.worker_pod(made, group, index=0) for group in spec.groups(made["spec"])]
    service["spec"].setdefault("clusterIP", "10.0.0.1")
    head["metadata"]["name"] = service["metadata"]["name"] = "named"
    seen = status.Seen([head, *workers], [head], [service])
    told = status.calculate(made, seen, None, "2026-01-01T00:00:00Z")
    assert not status.differs(told, status.calculate({**made, "status": told}, seen, None, "2026-01-02T00:00:00Z"))
    assert made == before
