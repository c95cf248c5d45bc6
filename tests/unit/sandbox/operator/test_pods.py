"""The pods that the operator makes; recorded ones are compared in `parity`."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.sandbox.operator.pods import head_pod, worker_pod
from tests.unit.sandbox.operator.clusters import cluster, container, group, variables, with_metadata

Object = dict[str, Any]


def ray(pod: Object) -> Object:
    """Ray's container."""
    found: Object = pod["spec"]["containers"][0]
    return found


def worker(of: Object, **place: Any) -> Object:
    """A worker of the only group."""
    return worker_pod(of, of["spec"]["workerGroupSpecs"][0], **{"index": 0, **place})


def test_a_long_name_is_cut_to_50_letters() -> None:
    """Cluster and group together: no group is left of a name of 53 letters."""
    of = cluster(group("workers"), name="b" * 53)
    stems = [pod["metadata"]["generateName"] for pod in (head_pod(of), worker(of))]
    assert stems == ["b" * 50 + "-head-", "b" * 50 + "-worker-"]


def test_a_name_is_lowered_and_the_label_is_not() -> None:
    """A group `Bad_Name` gives pods that the API server refuses, with the group as it was written."""
    pod = worker(cluster(group("Bad_Name")))
    assert pod["metadata"]["generateName"] == "c-bad_name-worker-"
    assert pod["metadata"]["labels"]["ray.io/group"] == "Bad_Name"


def test_a_template_cannot_change_what_pods_are_found_by() -> None:
    """Its labels are kept, but for the cluster's, the group's and the node type's."""
    labels = {"ray.io/cluster": "x", "ray.io/group": "x", "ray.io/node-type": "x", "ray.io/identifier": "mine"}
    of = cluster()
    of["spec"]["headGroupSpec"]["template"]["metadata"] = {"labels": {**labels, "team": "a"}}
    found = head_pod(of)["metadata"]["labels"]
    assert [found[key] for key in sorted(labels)] == ["c", "headgroup", "mine", "head"]
    assert found["team"] == "a"


def test_group_labels_are_rays_and_the_pods() -> None:
    """`labels` of a group become pod labels and `--labels`."""
    pod = worker(cluster(group(labels={"zone": "b", "disk": "ssd"})))
    assert pod["metadata"]["labels"]["zone"] == "b"
    assert " --labels=disk=ssd,zone=b " in ray(pod)["args"][0]


def test_group_resources_are_rays() -> None:
    """`resources` of a group become numbers of CPUs, GPUs, bytes and the rest as JSON."""
    resources = {"CPU": "1500m", "memory": "1Gi", "nvidia.com/gpu": "2", "special": "3", "half": "500m"}
    start = ray(worker(cluster(group(resources=resources))))["args"][0]
    assert " --num-cpus=2 " in start
    assert " --memory=1073741824 " in start
    assert " --num-gpus=2 " in start
    assert """ --resources='{"half":0.5,"special":3}' """ in start


@pytest.mark.parametrize(
    ("resources", "options"),
    [
        ({"limits": {"cpu": "200m"}, "requests": {"cpu": "100m"}}, "--num-cpus=1"),
        ({"requests": {"cpu": "2500m", "memory": "1Gi"}}, "--num-cpus=3"),
        ({"limits": {"memory": "0.5Gi"}}, "--memory=536870912"),
        ({"limits": {"nvidia.com/mig-1g.5gb": "2"}}, "--num-gpus=2"),
        ({"limits": {"google.com/tpu": "4"}}, """--resources='{"TPU":4}'"""),
    ],
)
def test_ray_is_told_what_the_container_may_use(resources: Object, options: str) -> None:
    """CPUs rounded up, from limits, else requests; memory and accelerators from limits only."""
    of = cluster(pod={"containers": [container(resources=resources)]})
    start = ray(head_pod(of))["args"][0]
    assert f" {options} " in start
    assert ("--memory" in start) == ("memory" in resources.get("limits", {}))


def test_parameters_of_the_user_win_over_the_containers_size() -> None:
    """What rayStartParams says stays."""
    resources = {"limits": {"cpu": "4", "memory": "2Gi"}}
    of = cluster(head={"rayStartParams": {"num-cpus": "0"}}, pod={"containers": [container(resources=resources)]})
    assert " --num-cpus=0 " in ray(head_pod(of))["args"][0]


def test_switches_have_no_value() -> None:
    """`true` gives the bare option and `false` none, but for the options that take the word."""
    params = {"no-redirect-worker-output": "true", "disable-usage-stats": "False", "include-dashboard": "false"}
    start = ray(head_pod(cluster(head={"rayStartParams": params})))["args"][0]
    assert " --no-redirect-worker-output " in start
    assert "disable-usage-stats" not in start
    assert " --include-dashboard=false " in start


def test_a_users_command_runs_before_ray() -> None:
    """Command and args, each word between spaces, then `ray start`."""
    of = cluster(pod={"containers": [container(command=["echo"], args=["hello", "you"])]})
    assert ray(head_pod(of))["args"][0].startswith(" echo  hello  you  && ulimit -n 65536; ray start --head ")


@pytest.mark.parametrize("annotated", ["true", "True"])
def test_a_users_command_can_run_instead(annotated: str) -> None:
    """With the annotation; the generated command is in the environment all the same."""
    of = cluster(pod={"containers": [container(command=["sleep", "9"])]})
    pod = head_pod(with_metadata(of, annotations={"ray.io/overwrite-container-cmd": annotated}))
    assert ray(pod)["command"] == ["sleep", "9"]
    assert pod["metadata"]["annotations"]["ray.io/overwrite-container-cmd"] == "true"
    assert variables(ray(pod))["KUBERAY_GEN_RAY_START_CMD"].startswith("ray start --head ")


def test_a_command_that_starts_ray_is_left_alone() -> None:
    """`ray start` anywhere in it."""
    of = cluster(pod={"containers": [container(command=["bash", "-c"], args=["ray start --head"])]})
    assert ray(head_pod(of))["args"] == ["ray start --head"]


def test_amounts_are_written_in_their_one_form() -> None:
    """As a client that knows the type writes them."""
    resources = {"limits": {"cpu": "0.5", "memory": "1024Mi"}, "requests": {"cpu": 1}}
    pod = head_pod(cluster(pod={"containers": [container(resources=resources)]}))
    assert ray(pod)["resources"] == {"limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "1"}}
    assert pod["spec"]["volumes"] == [{"name": "shared-mem", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}]


def test_shared_memory_of_the_users_stays() -> None:
    """A mount on /dev/shm, or another place for the object store."""
    mounted = container(volumeMounts=[{"name": "mine", "mountPath": "/dev/shm"}])  # noqa: S108 - inside a pod
    assert "volumes" not in head_pod(cluster(pod={"containers": [mounted]}))["spec"]
    assert "volumes" not in head_pod(cluster(head={"rayStartParams": {"plasma-directory": "/data"}}))["spec"]


def test_newer_ray_is_asked_over_http() -> None:
    """From 2.53 on one path answers for everything; before, wget asks agent and dashboard."""
    pod = head_pod(cluster(rayVersion="2.53.0", head={"rayStartParams": {"dashboard-agent-listen-port": "5000"}}))
    assert ray(pod)["readinessProbe"]["httpGet"] == {"path": "/api/healthz", "port": 5000}
    assert "exec" in ray(head_pod(cluster(rayVersion="2.52.9")))["livenessProbe"]


def test_probes_of_the_user_stay() -> None:
    """Each of the two by itself."""
    own = {"tcpSocket": {"port": 6379}}
    made = ray(head_pod(cluster(pod={"containers": [container(readinessProbe=own)]})))
    assert made["readinessProbe"] == own
    assert made["livenessProbe"]["failureThreshold"] == 120


def test_workers_of_a_service_are_ready_when_they_serve() -> None:
    """One failure is enough, and the serve proxy is asked, too."""
    labels = {"ray.io/originated-from-crd": "RayService"}
    of = with_metadata(cluster(group(), rayVersion="2.53.0"), labels=labels)
    pod = worker(of)
    probe = ray(pod)["readinessProbe"]
    assert probe["failureThreshold"] == 1
    assert "http://localhost:8000/-/healthz" in probe["exec"]["command"][-1]
    assert pod["metadata"]["labels"]["ray.io/serve"] == "true"
    assert head_pod(of)["metadata"]["labels"]["ray.io/serve"] == "false"


def test_variables_of_the_user_stay_where_they_may() -> None:
    """RAY_ADDRESS is theirs; the cluster's name is appended whatever they say."""
    env = [{"name": "RAY_ADDRESS", "value": "here"}, {"name": "RAY_CLUSTER_NAME", "value": "x"}]
    made = ray(head_pod(cluster(pod={"containers": [container(env=env)]})))["env"]
    assert [each["name"] for each in made].count("RAY_ADDRESS") == 1
    assert [each["name"] for each in made].count("RAY_CLUSTER_NAME") == 2


def test_the_token_goes_to_every_container_of_ray() -> None:
    """Head, worker, the container that waits, the autoscaler; from the user's secret where one is named."""
    auth = {"mode": "token", "secretName": "mine"}
    of = cluster(group(), rayVersion="2.52.0", authOptions=auth, enableInTreeAutoscaling=True)
    made = worker(of)["spec"]
    containers = [*head_pod(of)["spec"]["containers"], made["containers"][0], made["initContainers"][0]]
    secret = {"secretKeyRef": {"name": "mine", "key": "auth_token"}}
    assert [variables(each)["RAY_AUTH_TOKEN"] for each in containers] == [secret] * 4


def test_kubernetes_own_tokens_are_mounted() -> None:
    """No secret then: a projected token."""
    of = cluster(rayVersion="2.55.0", authOptions={"mode": "token", "enableK8sTokenAuth": True})
    pod = head_pod(of)
    assert variables(ray(pod))["RAY_ENABLE_K8S_TOKEN_AUTH"] == "true"
    assert "RAY_AUTH_TOKEN" not in variables(ray(pod))
    assert pod["spec"]["volumes"][0]["projected"]["sources"] == [{"serviceAccountToken": {"path": "token"}}]


def test_the_autoscaler_is_as_the_user_wants_it() -> None:
    """Image and size replaced, variables and mounts appended."""
    options = {"image": "mine", "resources": {"limits": {"cpu": "1"}}, "env": [{"name": "A", "value": "1"}]}
    of = cluster(enableInTreeAutoscaling=True, autoscalerOptions={**options, "version": "v2"})
    pod = head_pod(of)
    sidecar = pod["spec"]["containers"][1]
    assert (sidecar["image"], sidecar["resources"], variables(sidecar)["A"]) == ("mine", options["resources"], "1")
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["serviceAccountName"] == "c"


def test_hosts_of_a_replica_are_counted() -> None:
    """Name and host number are there only where a replica has several hosts."""
    several = worker(cluster(group(numOfHosts=2)), index=3, replica="wg-abcde", host=1)["metadata"]["labels"]
    assert several["ray.io/worker-group-replica-name"] == "wg-abcde"
    assert (several["ray.io/worker-group-replica-index"], several["ray.io/replica-host-index"]) == ("3", "1")
    assert "ray.io/replica-host-index" not in worker(cluster(group()))["metadata"]["labels"]


def test_a_fault_tolerant_head_knows_its_store() -> None:
    """Address, login and namespace by environment; the login is an option, too."""
    options = {"redisAddress": "redis:6379", "redisPassword": {"valueFrom": {"secretKeyRef": {"name": "s"}}}}
    of = cluster(group(), gcsFaultToleranceOptions=options)
    made = ray(head_pod(of))
    assert variables(made)["RAY_REDIS_ADDRESS"] == "redis:6379"
    assert variables(made)["RAY_external_storage_namespace"] == "u1"
    assert " --redis-password=$REDIS_PASSWORD " in made["args"][0]
    assert variables(ray(worker(of)))["RAY_gcs_rpc_server_reconnect_timeout_s"] == "600"


def test_making_a_pod_changes_nothing_of_the_cluster() -> None:
    """The store's objects are never changed."""
    of = cluster(group(), enableInTreeAutoscaling=True, authOptions={"mode": "token"})
    before = repr(of)
    head_pod(of)
    worker(of)
    assert repr(of) == before
