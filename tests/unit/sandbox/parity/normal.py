"""Takes out of objects what two runs never share, or what only the API server and the machine put in.

What is taken out: uids, versions, times, generated names, addresses, and the fields below. Everything else is compared.
"""

from __future__ import annotations

import copy
import re
from typing import Any

Object = dict[str, Any]

SERVER_METADATA = ("uid", "resourceVersion", "creationTimestamp", "generation", "name", "namespace", "managedFields")
"""Of every object; names are compared by the replay, which knows which pod stands for which."""

SERVER_POD = ("nodeName", "serviceAccount", "dnsPolicy", "schedulerName", "securityContext", "tolerations")
SERVER_POD_DEFAULTS = ("enableServiceLinks", "preemptionPolicy", "priority", "terminationGracePeriodSeconds")
"""Of a pod's spec: admission, defaults and the scheduler. Most were not recorded."""

SERVER_SERVICE = ("clusterIPs", "sessionAffinity", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")

HASH = "ray.io/upgrade-strategy-recreate-hash"
"""Its value depends on how Go writes JSON; that it changes when it should is tested by the replays."""

REPLICA = "ray.io/worker-group-replica-name"
"""Ends with five random letters."""

_TIMES = re.compile(r"(StartedAt|FinishedAt):[^,]*")
_REFUSED_NAME = re.compile(r'((?:pods|Pod|value:) "[a-z0-9_-]+-)[a-z0-9]{5}"')
_TOKEN_VOLUME = re.compile(r"kube-api-access-[a-z0-9]{5}")
_PICKED = re.compile(r"10\.96\.[0-9]+\.[0-9]+|3[0-2][0-9]{3}")
_PROBE_DEFAULTS = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def pod(seen: Object) -> Object:
    """What the operator asked for of a pod."""
    left_out = {*SERVER_POD, *SERVER_POD_DEFAULTS}
    spec = {key: value for key, value in copy.deepcopy(seen["spec"]).items() if key not in left_out}
    if spec.get("serviceAccountName") == "default":
        del spec["serviceAccountName"]
    spec.setdefault("restartPolicy", "Always")
    spec["volumes"] = [_volume(each) for each in spec.get("volumes", []) if not _TOKEN_VOLUME.match(each["name"])]
    for part in ("containers", "initContainers"):
        spec[part] = [_container(each) for each in spec.get(part, [])]
    return {"metadata": metadata(seen), "spec": spec}


def metadata(seen: Object) -> Object:
    """Labels, annotations, owners; a generated name's stem."""
    meta = {key: value for key, value in copy.deepcopy(seen["metadata"]).items() if key not in SERVER_METADATA}
    meta.pop("ownerReferences", None)
    annotations, labels = meta.pop("annotations", None) or {}, meta.pop("labels", None) or {}
    if HASH in annotations:
        annotations[HASH] = "HASH"
    if REPLICA in labels:
        labels[REPLICA] = labels[REPLICA][:-5]
    return {**meta, "annotations": annotations, "labels": labels}


def _volume(seen: Object) -> Object:
    for source in ("secret", "configMap"):
        if source in seen:
            seen[source].setdefault("defaultMode", 420)
    if "hostPath" in seen:
        seen["hostPath"].setdefault("type", "")
    return seen


def _container(seen: Object) -> Object:
    for key in ("terminationMessagePath", "terminationMessagePolicy"):
        seen.pop(key, None)
    mounts = [each for each in seen.get("volumeMounts", []) if not _TOKEN_VOLUME.match(each["name"])]
    held = {**seen, "volumeMounts": mounts, "imagePullPolicy": seen.get("imagePullPolicy", "IfNotPresent")}
    for port in held.get("ports", []):
        port.setdefault("protocol", "TCP")
    for each in held.get("env", []):
        if "fieldRef" in each.get("valueFrom", {}):
            each["valueFrom"]["fieldRef"].setdefault("apiVersion", "v1")
    for probe in ("livenessProbe", "readinessProbe"):
        if probe in held:
            held[probe] = {**_PROBE_DEFAULTS, **held[probe]}
    limits = held.get("resources", {}).get("limits", {})
    for name, value in limits.items():
        held["resources"].setdefault("requests", {}).setdefault(name, value)
    return {key: value for key, value in held.items() if value not in ([], {})}


def service(seen: Object) -> Object:
    """What the operator asked for of a service."""
    spec = {key: value for key, value in copy.deepcopy(seen["spec"]).items() if key not in SERVER_SERVICE}
    for port in spec.get("ports", []):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port["port"])
        if "nodePort" in port:
            port["nodePort"] = "PORT"
    # The operator takes default ports from a Go map: where the user has a service of their own they come in any order.
    spec["ports"] = sorted(spec.get("ports", []), key=lambda port: str(port["name"]))
    spec["clusterIP"] = address(spec.get("clusterIP", ""))
    return {"metadata": metadata(seen), "spec": {"type": "ClusterIP", **spec}}


def plain(seen: Object) -> Object:
    """An account, a role, a binding: all but the server's metadata."""
    rest = {key: value for key, value in seen.items() if key in {"rules", "subjects", "roleRef"}}
    return {"metadata": metadata(seen), **copy.deepcopy(rest)}


def flat_status(status: Object) -> dict[str, Any]:
    """A RayCluster's status as the recorder wrote it: paths and values, without times."""
    flat: dict[str, Any] = {}
    for key, value in status.items():
        if key == "conditions":
            for condition in value:
                path = f"status.conditions[{condition['type']}]"
                flat |= {f"{path}.{field}": message(condition[field]) for field in ("message", "reason", "status")}
        elif key == "stateTransitionTimes":
            flat |= {f"status.{key}.{state}": "TIME" for state in value}
        elif isinstance(value, dict):
            flat |= {f"status.{key}.{field}": address(each) for field, each in value.items()}
        elif key != "lastUpdateTime":
            flat[f"status.{key}"] = value
    return flat


def address(value: str) -> str:
    """A service's own address, and a port that was picked for it, are another each time."""
    return "PICKED" if _PICKED.fullmatch(value) else value


def ordered_status(status: Object) -> str:
    """A RayCluster's status with the order of its conditions, without times."""
    types = [condition["type"] for condition in status.get("conditions", [])]
    return repr((types, sorted(flat_status(status).items())))


def message(text: str) -> str:
    """Without times, and without the random letters of pods that never came to be."""
    return _REFUSED_NAME.sub(r'\1XXXXX"', _TIMES.sub(r"\1:TIME", text))
