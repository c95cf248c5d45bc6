"""What the API server writes into a pod's spec where its author said nothing.

Source: `pkg/apis/core/v1/defaults.go`, `pkg/registry/core/pod/strategy.go` and the admission plugin
DefaultTolerationSeconds, all of v1.36. Left out: the volume `kube-api-access` and its mounts (a pod's processes run on
the user's own machine and log in with the user's own kubeconfig).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api.quantities import parse

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
MODE = 0o644
TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
TAINT_SECONDS = 300


def fill_template(template: Object) -> None:
    """Defaults of a pod template, as a job has one."""
    template.setdefault("metadata", {})
    fill_spec(template.setdefault("spec", {}))


def fill_pod(pod: Object) -> None:
    """Defaults of a pod itself: those of its template, and what only a real pod has.

    Raises:
        ValueError: an amount is no quantity.
    """
    spec = pod["spec"] = pod.get("spec") or {}
    spec.setdefault("enableServiceLinks", True)
    fill_spec(spec)
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        resources = container["resources"]
        for name, amount in (resources.get("limits") or {}).items():
            resources["requests"] = {name: amount, **(resources.get("requests") or {})}


def fill_spec(spec: Object) -> None:
    """What pods and templates have in common."""
    defaults: tuple[tuple[str, object], ...] = (
        ("restartPolicy", "Always"),
        ("terminationGracePeriodSeconds", 30),
        ("dnsPolicy", "ClusterFirst"),
        ("schedulerName", "default-scheduler"),
    )
    for key, value in defaults:
        if spec.get(key) in {None, ""}:
            spec[key] = value
    if spec.get("securityContext") is None:
        spec["securityContext"] = {}
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for volume in spec.get("volumes") or []:
        _fill_volume(volume)
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        _fill_container(container, host=bool(spec.get("hostNetwork")))


def _fill_container(container: Object, *, host: bool) -> None:
    container["resources"] = {
        what: _rounded(listed) if what in {"limits", "requests"} and listed else listed
        for what, listed in (container.get("resources") or {}).items()
        if listed
    }
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
        if host and "containerPort" in port:
            port.setdefault("hostPort", port["containerPort"])
    for variable in container.get("env") or []:
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference:
            reference.setdefault("apiVersion", "v1")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name):
            _fill_probe(container[name])
    for handler in (container.get("lifecycle") or {}).values():
        _fill_handler(handler if isinstance(handler, dict) else {})
    for key, value in (
        ("terminationMessagePath", "/dev/termination-log"),
        ("terminationMessagePolicy", "File"),
        ("imagePullPolicy", pull_policy(container.get("image") or "")),
    ):
        if not container.get(key):
            container[key] = value


def _fill_probe(probe: Object) -> None:
    for key, value in PROBE.items():
        probe[key] = probe.get(key) or value
    _fill_handler(probe)


def _fill_handler(handler: Object) -> None:
    asked = handler.get("httpGet")
    if asked:
        asked["path"] = asked.get("path") or "/"
        asked["scheme"] = asked.get("scheme") or "HTTP"
    if handler.get("grpc"):
        handler["grpc"].setdefault("service", "")


def _fill_volume(volume: Object) -> None:
    sources = [key for key in volume if key != "name" and volume[key] is not None]
    if not sources:
        volume["emptyDir"] = {}
    for key in ("configMap", "secret", "projected", "downwardAPI"):
        if isinstance(volume.get(key), dict):
            volume[key].setdefault("defaultMode", MODE)
    if isinstance(volume.get("hostPath"), dict):
        volume["hostPath"].setdefault("type", "")
    items = list((volume.get("downwardAPI") or {}).get("items") or [])
    for source in (volume.get("projected") or {}).get("sources") or []:
        items += (source.get("downwardAPI") or {}).get("items") or []
        if isinstance(source.get("serviceAccountToken"), dict):
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
    for item in items:
        if item.get("fieldRef"):
            item["fieldRef"].setdefault("apiVersion", "v1")


def add_tolerations(spec: Object) -> None:
    """A pod stays for five minutes on a machine that is gone, unless it says otherwise."""
    held = spec.get("tolerations") or []
    for key in TAINTS:
        if not any(
            each.get("key") in {key, None, ""} and each.get("effect") in {"NoExecute", None, ""} for each in held
        ):
            held = [
                *held,
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TAINT_SECONDS},
            ]
    spec["tolerations"] = held


def pull_policy(image: str) -> str:
    """Always for `latest` or no tag; IfNotPresent for a tag or a digest."""
    if "@" in image:
        return "IfNotPresent"
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in {"", "latest"} else "IfNotPresent"


def _rounded(listed: dict[str, Any]) -> dict[str, Any]:
    """Amounts as the server keeps them: canonical, in whole thousandths."""
    return {name: str(parse(amount).rounded()) for name, amount in listed.items()}
