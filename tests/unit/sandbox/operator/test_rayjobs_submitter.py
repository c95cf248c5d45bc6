"""What hands an entrypoint to Ray: scripts, containers, requests."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.operator.rayjobs_submitter import Unfit, request, script, sidecar, submitter_job
from tests.unit.sandbox.operator.world import SPEC

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

STATUS = {"jobId": "ok-1", "dashboardURL": "c-head-svc.lab.svc.cluster.local:8265"}
ADDRESS = "http://c-head-svc.lab.svc.cluster.local:8265"


def job(**spec: Any) -> Object:
    """A RayJob."""
    meta = {"name": "ok", "namespace": "lab", "uid": "u"}
    wanted = {"entrypoint": "python a.py", "rayClusterSpec": copy.deepcopy(SPEC), **spec}
    return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": meta, "spec": wanted}


def cluster(**more: Any) -> Object:
    """Its cluster."""
    return {"metadata": {"name": "c", "namespace": "lab"}, "spec": {**copy.deepcopy(SPEC), **more}}


def test_the_script() -> None:
    """It asks first whether the job is there already, and follows the log at last."""
    assert script(job(entrypoint="  python a.py "), STATUS) == (
        f"if ! ray job status --address {ADDRESS} ok-1 >/dev/null 2>&1 ;"
        f" then ray job submit --address {ADDRESS} --no-wait --submission-id ok-1 -- python a.py ;"
        f" fi ; ray job logs --address {ADDRESS} --follow ok-1"
    )


def test_all_options() -> None:
    """Each field of the spec has its flag, quoted as the operator quotes."""
    made = script(
        job(
            runtimeEnvYAML="env_vars:\n  A: 'b<c'\n",
            metadata={"k": "v"},
            entrypointNumCpus=0.5,
            entrypointNumGpus=1,
            entrypointResources='{"x": 1}',
        ),
        STATUS,
    )
    assert (
        '--runtime-env-json "{\\"env_vars\\":{\\"A\\":\\"b\\\\u003cc\\"}}" --metadata-json "{\\"k\\":\\"v\\"}"'
        " --submission-id ok-1 --entrypoint-num-cpus 0.500000 --entrypoint-num-gpus 1.000000"
        ' --entrypoint-resources "{\\"x\\": 1}" -- python a.py ;'
    ) in made


@pytest.mark.parametrize(("version", "fine"), [("2.52.0", True), ("2.6.0", True), ("2.5.1", False), ("soon", False)])
def test_metadata_needs_a_ray_that_takes_it(version: str, fine: bool) -> None:
    """Older ones, and versions that cannot be read, make no command."""
    asked = job(metadata={"k": "v"}, rayClusterSpec={**SPEC, "rayVersion": version})
    if fine:
        assert "--metadata-json" in script(asked, STATUS)
        return
    with pytest.raises(Unfit):
        script(asked, STATUS)


def test_inside_the_head() -> None:
    """It waits for the dashboard, which is at hand, and submits once, staying until the end."""
    spec = copy.deepcopy(SPEC)
    spec["headGroupSpec"]["template"]["spec"]["containers"][0]["ports"] = [{"name": "dashboard", "containerPort": 99}]
    made = script(job(rayClusterSpec=spec), {"jobId": "ok-1"}, inside=True)
    assert made.startswith('until python -c "import urllib.request;')
    assert "http://localhost:99/api/gcs_healthz" in made
    end = "done ; ray job submit --address http://127.0.0.1:99 --submission-id ok-1 -- python a.py ;"
    assert made.endswith(end)


def test_an_own_template() -> None:
    """The user's command stays; the operator's variables are added, by which it can submit."""
    own = {"spec": {"containers": [{"name": "mine", "image": "i", "command": ["run"], "env": [{"name": "A"}]}]}}
    made = submitter_job(job(submitterPodTemplate=own, submitterConfig={"backoffLimit": 7}), cluster(), STATUS)
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert (container["command"], "args" in container) == (["run"], False)
    assert [each["name"] for each in container["env"]] == [
        "A",
        "PYTHONUNBUFFERED",
        "RAY_DASHBOARD_ADDRESS",
        "RAY_JOB_SUBMISSION_ID",
    ]
    assert made["spec"]["backoffLimit"] == 7


@pytest.mark.parametrize(("options", "secret"), [({}, "c"), ({"secretName": "mine"}, "mine")])
def test_a_token(options: Object, secret: str) -> None:
    """Where Ray asks for one, the submitter has it."""
    held = cluster(authOptions={"mode": "token", **options})
    made = submitter_job(job(), held, STATUS)
    env = {each["name"]: each for each in made["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env["RAY_AUTH_MODE"]["value"] == "token"
    assert env["RAY_AUTH_TOKEN"]["valueFrom"] == {"secretKeyRef": {"name": secret, "key": "auth_token"}}
    assert "RAY_AUTH_TOKEN" in {each["name"] for each in sidecar(job(), held, STATUS)["env"]}


def test_the_request() -> None:
    """What is not given is not sent: Ray refuses keys that it does not know."""
    assert request(job(entrypointResources='{"x": 1}', metadata={}, entrypointNumCpus=0), STATUS) == {
        "entrypoint": "python a.py",
        "submission_id": "ok-1",
        "entrypoint_resources": {"x": 1},
    }


def test_resources_that_are_no_json() -> None:
    """They make no request."""
    with pytest.raises(Unfit):
        request(job(entrypointResources="{"), STATUS)


@given(st.dictionaries(st.one_of(st.text(), st.integers(), st.booleans()), st.one_of(st.text(), st.dates())))
def test_any_runtime_env(env: dict[Any, Any]) -> None:
    """Keys and values of any kind make a request and a script, or are told to make none."""
    import yaml

    asked = job(runtimeEnvYAML=yaml.safe_dump(env))
    for make in (script, request):
        try:
            made = make(asked, STATUS)
        except Unfit:
            continue
        assert made
