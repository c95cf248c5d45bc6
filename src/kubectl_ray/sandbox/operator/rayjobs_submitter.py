"""What hands a RayJob's entrypoint to Ray: the submitter's container, its script, its Kubernetes Job; and the request.

Source of scripts and sizes: the KubeRay operator v1.6.2, as recorded.
"""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import yaml

from kubectl_ray.sandbox.operator import naming, spec
from kubectl_ray.sandbox.operator.parents import origin_labels, port_of, ray_container
from kubectl_ray.sandbox.operator.pod_parts import add_token

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

SUBMITTER = "ray-job-submitter"
COMMAND = ["/bin/bash", "-ce", "--"]
RETRIES = 2
"""Of the submitter, not of the job: it asks first whether the job is there already."""

FIRST_WITH_METADATA = (2, 6, 0)
"""Ray's version from which `ray job submit` takes --metadata-json."""


class Unfit(Exception):
    """No command can be made of the RayJob: the operator tries again and again, and says so only in its log."""


def submitter_job(job: Object, cluster: Object, status: Object) -> Object:
    """The Kubernetes Job that submits, named as the RayJob.

    Raises:
        Unfit: the spec makes no command.
    """
    wanted = job["spec"]
    template = copy.deepcopy(wanted.get("submitterPodTemplate"))
    if template is None:
        template = {"spec": {"containers": [_container(cluster)], "restartPolicy": "Never"}}
    first = template["spec"]["containers"][0]
    if not first.get("command"):
        first |= {"command": list(COMMAND), "args": [script(job, status)]}
    _add_env(first, cluster, status)
    retries = wanted.get("submitterConfig", {}).get("backoffLimit", RETRIES)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job["metadata"]["name"],
            "namespace": job["metadata"]["namespace"],
            "labels": {**origin_labels(job), naming.CREATED_BY: naming.BY_US[naming.CREATED_BY]},
            "ownerReferences": naming.owned_by(job),
        },
        "spec": {"backoffLimit": retries, "template": template},
    }


def sidecar(job: Object, cluster: Object, status: Object) -> Object:
    """The container beside the head's own that submits from inside the pod.

    Raises:
        Unfit: the spec makes no command.
    """
    made = _container(cluster)
    made |= {"command": list(COMMAND), "args": [script(job, status, inside=True)]}
    _add_env(made, cluster, status)
    return made


def request(job: Object, status: Object) -> Object:
    """What is posted to Ray where the operator submits by itself (HTTPMode).

    Raises:
        Unfit: entrypointResources is no JSON object.
    """
    wanted = job["spec"]
    made = {
        "entrypoint": wanted.get("entrypoint", ""),
        "submission_id": status["jobId"],
        "runtime_env": json.loads(_json(yaml.safe_load(wanted.get("runtimeEnvYAML", "")))),
        "metadata": wanted.get("metadata"),
        "entrypoint_num_cpus": wanted.get("entrypointNumCpus"),
        "entrypoint_num_gpus": wanted.get("entrypointNumGpus"),
    }
    if wanted.get("entrypointResources"):
        try:
            made["entrypoint_resources"] = json.loads(wanted["entrypointResources"])
        except (ValueError, RecursionError) as error:
            raise Unfit(f"entrypointResources: {error}") from error
    return {k: v for k, v in made.items() if v or k == "entrypoint"}


def script(job: Object, status: Object, *, inside: bool = False) -> str:
    """What the submitter runs; `inside` the head's pod there is no second try, so it need not ask for the first.

    Raises:
        Unfit: metadata is given for a Ray that cannot take it.
    """
    wanted, submission = job["spec"], status.get("jobId", "")
    words: list[str] = []
    if inside:
        port = port_of({"spec": wanted["rayClusterSpec"]}, "dashboard")
        address = f"http://127.0.0.1:{port}"
        words += _wait(port, address)
    else:
        address = status["dashboardURL"]
        address = address if address.startswith("http://") else f"http://{address}"
        words += ["if", "!", *f"ray job status --address {address} {submission} >/dev/null 2>&1".split(), ";", "then"]
    words += ["ray", "job", "submit", "--address", address, *([] if inside else ["--no-wait"])]
    words += [*_options(wanted, submission), "--", wanted.get("entrypoint", "").strip(), ";"]
    if not inside:
        words += ["fi", ";", *f"ray job logs --address {address} --follow {submission}".split()]
    return " ".join(words)


def _wait(port: int, address: str) -> list[str]:
    ask = (
        f'python -c "import urllib.request; r=urllib.request.urlopen('
        f"'http://localhost:{port}/api/gcs_healthz', timeout=10); exit(0 if b'success' in r.read() else 1)\""
    )
    say = f'"Waiting for Ray Dashboard GCS to become healthy at {address} ..."'
    return ["until", ask, ">/dev/null", "2>&1", ";", "do", "echo", say, ";", "sleep", "2", ";", "done", ";"]


def _options(wanted: Object, submission: str) -> list[str]:
    made: list[str] = []
    if wanted.get("runtimeEnvYAML"):
        made += ["--runtime-env-json", _quoted(_json(yaml.safe_load(wanted["runtimeEnvYAML"])))]
    if wanted.get("metadata") and wanted.get("rayClusterSpec") is not None:
        _check_version(wanted["rayClusterSpec"].get("rayVersion", ""))
        made += ["--metadata-json", _quoted(_json(wanted["metadata"]))]
    if submission:
        made += ["--submission-id", submission]
    for field, flag in (("entrypointNumCpus", "--entrypoint-num-cpus"), ("entrypointNumGpus", "--entrypoint-num-gpus")):
        if wanted.get(field, 0) > 0:
            made += [flag, f"{wanted[field]:f}"]
    if wanted.get("entrypointResources"):
        made += ["--entrypoint-resources", _quoted(wanted["entrypointResources"])]
    return made


def _check_version(given: str) -> None:
    read = re.fullmatch(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:[-+].*)?", given)
    if read is None:
        raise Unfit(f"failed to parse Ray version: {given}: invalid semantic version")
    if tuple(int(part or 0) for part in read.groups()) < FIRST_WITH_METADATA:
        raise Unfit("the Ray version must be at least 2.6.0 to use the metadata field")


def _json(value: Any) -> str:
    try:
        text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False, default=str)
    except TypeError as error:  # keys of several types
        raise Unfit(str(error)) from error
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _container(cluster: Object) -> Object:
    return {
        "name": SUBMITTER,
        "image": ray_container(cluster).get("image", ""),
        "resources": {
            "limits": {"cpu": "1", "memory": "1Gi"},
            "requests": {"cpu": "500m", "memory": "200Mi"},
        },
    }


def _add_env(submitter: Object, cluster: Object, status: Object) -> None:
    address = status.get("dashboardURL", "")
    env = submitter.setdefault("env", [])
    env.append({"name": "PYTHONUNBUFFERED", "value": "1"})
    env.append({"name": "RAY_DASHBOARD_ADDRESS", **({"value": address} if address else {})})
    env.append({"name": "RAY_JOB_SUBMISSION_ID", "value": status.get("jobId", "")})
    if spec.token_auth(cluster["spec"]):
        add_token(cluster, submitter)
