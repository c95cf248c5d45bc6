"""What the API server refuses of a pod: names, ports, resources, volumes, probes.

Source: `pkg/apis/core/validation/validation.go`; the texts were recorded on a v1.36 server. Rules that no Ray pod can
meet on one machine without containers (security contexts, affinities, topology) are not checked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api.metadata import duplicate, prohibited, required, unsupported, wrong
from kubectl_ray.sandbox.api.names import label_errors, subdomain_errors
from kubectl_ray.sandbox.api.quantities import Quantity, parse

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.metadata import Cause
    from kubectl_ray.sandbox.api.store import Object

RESTARTS = ("Always", "OnFailure", "Never")
DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
PULLS = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
LAST_PORT = 65535
LONGEST_PORT_NAME = 15
LARGEST_DEADLINE = 2**31 - 1
STANDARD = frozenset({"cpu", "memory", "ephemeral-storage"})
PORT_RULES = (
    (r"[-a-z0-9]*", "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"),
    (r".*[a-z].*", "must contain at least one letter (a-z)"),
)
_VARIABLE = re.compile(r"[ -<>-~]+", re.ASCII)


def causes(spec: Object, at: str = "spec") -> list[Cause]:
    """What is wrong with the spec of a pod, or of a template that stands at another place."""
    found: list[Cause] = []
    volumes = _names(spec.get("volumes") or [], f"{at}.volumes", found)
    for index, volume in enumerate(spec.get("volumes") or []):
        found += _volume(volume, f"{at}.volumes[{index}]")
    containers = spec.get("containers") or []
    if not containers:
        found.append(required(f"{at}.containers"))
    taken = _names(containers, f"{at}.containers", found)
    for index, container in enumerate(containers):
        found += _container(container, volumes, f"{at}.containers[{index}]")
    initial = spec.get("initContainers") or []
    for index, container in enumerate(initial):
        if container.get("name") in taken:
            found.append(duplicate(container["name"], f"{at}.initContainers[{index}].name"))
    _names(initial, f"{at}.initContainers", found)
    for index, container in enumerate(initial):
        found += _container(container, volumes, f"{at}.initContainers[{index}]")
    return found + _whole(spec, at)


def _whole(spec: Object, at: str) -> list[Cause]:
    """What is wrong with the fields that concern all containers."""
    found: list[Cause] = []
    deadline = spec.get("activeDeadlineSeconds")
    if spec.get("restartPolicy") not in RESTARTS:
        found.append(unsupported(str(spec.get("restartPolicy")), RESTARTS, f"{at}.restartPolicy"))
    if spec.get("dnsPolicy") not in DNS:
        found.append(unsupported(str(spec.get("dnsPolicy")), DNS, f"{at}.dnsPolicy"))
    if deadline is not None and not 1 <= deadline <= LARGEST_DEADLINE:
        found.append(
            wrong(deadline, f"must be between 1 and {LARGEST_DEADLINE}, inclusive", f"{at}.activeDeadlineSeconds")
        )
    if spec.get("serviceAccountName"):
        name = spec["serviceAccountName"]
        found += [wrong(name, why, f"{at}.serviceAccountName") for why in subdomain_errors(name)]
    if spec.get("nodeName") and spec.get("schedulingGates"):
        found.append(prohibited("cannot be set until all schedulingGates have been cleared", f"{at}.nodeName"))
    return found


def _names(listed: list[Object], at: str, found: list[Cause]) -> set[str]:
    """Names of volumes or containers; says where one is missing, wrong or taken."""
    seen: set[str] = set()
    for index, each in enumerate(listed):
        name = each.get("name") or ""
        if not name:
            found.append(required(f"{at}[{index}].name"))
        elif name in seen:
            found.append(duplicate(name, f"{at}[{index}].name"))
        else:
            found += [wrong(name, why, f"{at}[{index}].name") for why in label_errors(name)]
        seen.add(name)
    return seen


def _volume(volume: Object, at: str) -> list[Cause]:
    sources = [key for key, value in volume.items() if key != "name" and value is not None]
    found = [prohibited("may not specify more than 1 volume type", f"{at}.{key}") for key in sources[1:]]
    if isinstance(volume.get("secret"), dict) and not volume["secret"].get("secretName"):
        found.append(required(f"{at}.secret.secretName"))
    if isinstance(volume.get("configMap"), dict) and not volume["configMap"].get("name"):
        found.append(required(f"{at}.configMap.name"))
    claim = volume.get("persistentVolumeClaim")
    if isinstance(claim, dict) and not claim.get("claimName"):
        found.append(required(f"{at}.persistentVolumeClaim.claimName"))
    return found


def _container(container: Object, volumes: set[str], at: str) -> list[Cause]:
    found: list[Cause] = []
    image = container.get("image") or ""
    if not image:
        found.append(required(f"{at}.image"))
    elif image != image.strip():
        found.append(wrong(image, "must not have leading or trailing whitespace", f"{at}.image"))
    for index, port in enumerate(container.get("ports") or []):
        found += _port(port, f"{at}.ports[{index}]")
    for index, variable in enumerate(container.get("env") or []):
        found += _variable(variable, f"{at}.env[{index}]")
    found += _mounts(container, volumes, f"{at}.volumeMounts")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name):
            found += _probe(container[name], f"{at}.{name}", once=name != "readinessProbe")
    if container.get("imagePullPolicy") not in PULLS:
        found.append(unsupported(str(container.get("imagePullPolicy")), PULLS, f"{at}.imagePullPolicy"))
    return found + resource_causes(container.get("resources") or {}, f"{at}.resources")


def _mounts(container: Object, volumes: set[str], at: str) -> list[Cause]:
    found: list[Cause] = []
    mounted: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or []):
        field = f"{at}[{index}]"
        if not mount.get("name"):
            found.append(required(f"{field}.name"))
        if mount.get("name") not in volumes:
            found.append(("FieldValueNotFound", f'Not found: "{mount.get("name") or ""}"', f"{field}.name"))
        path = mount.get("mountPath") or ""
        if not path:
            found.append(required(f"{field}.mountPath"))
        elif path in mounted:
            found.append(wrong(path, "must be unique", f"{field}.mountPath"))
        mounted.add(path)
        found += _part(mount.get("subPath") or "", f"{at}.subPath")  # recorded: without the index
        if mount.get("subPath") and mount.get("subPathExpr"):
            why = "subPathExpr and subPath are mutually exclusive"
            found.append(wrong(mount["subPathExpr"], why, f"{field}.subPathExpr"))
        found += _part(mount.get("subPathExpr") or "", f"{at}.subPathExpr")
    return found


def _part(path: str, field: str) -> list[Cause]:
    """A path inside of a volume stays there. Source: Kubernetes, `validateLocalDescendingPath`."""
    found = [wrong(path, "must be a relative path", field)] if path.startswith("/") else []
    return [*found, wrong(path, "must not contain '..'", field)] if ".." in path.split("/") else found


def _port(port: Object, at: str) -> list[Cause]:
    found: list[Cause] = []
    name = port.get("name") or ""
    if len(name) > LONGEST_PORT_NAME:
        found.append(wrong(name, f"must be no more than {LONGEST_PORT_NAME} characters", f"{at}.name"))
    elif name:
        found += [wrong(name, why, f"{at}.name") for form, why in PORT_RULES if not re.fullmatch(form, name)]
    number = port.get("containerPort") or 0
    if number == 0:
        found.append(required(f"{at}.containerPort"))
    elif not 1 <= number <= LAST_PORT:
        found.append(wrong(number, f"must be between 1 and {LAST_PORT}, inclusive", f"{at}.containerPort"))
    if port.get("protocol", "TCP") not in PROTOCOLS:
        found.append(unsupported(port["protocol"], PROTOCOLS, f"{at}.protocol"))
    return found


def _variable(variable: Object, at: str) -> list[Cause]:
    name = variable.get("name") or ""
    if not name:
        return [required(f"{at}.name")]
    if not _VARIABLE.fullmatch(name):
        why = "a valid environment variable name must consist only of printable ASCII characters other than '='"
        return [wrong(name, why, f"{at}.name")]
    source = variable.get("valueFrom")
    if source is not None and variable.get("value"):
        return [wrong("", "may not be specified when `value` is not empty", f"{at}.valueFrom")]
    if source is not None and len([each for each in source.values() if each]) != 1:
        many = len(source) > 1
        why = (
            "may not have more than one field specified at a time"
            if many
            else (
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            )
        )
        return [wrong("", why, f"{at}.valueFrom")]
    return []


def _probe(probe: Object, at: str, *, once: bool) -> list[Cause]:
    found: list[Cause] = []
    handlers = [key for key in ("exec", "httpGet", "tcpSocket", "grpc") if probe.get(key) is not None]
    if not handlers:
        found.append(required(at, "must specify a handler type"))
    if probe.get("exec") is not None and not probe["exec"].get("command"):
        found.append(required(f"{at}.exec.command"))
    found += [prohibited("may not specify more than 1 handler type", f"{at}.{key}") for key in handlers[1:]]
    found += [
        wrong(probe[key], "must be greater than or equal to 0", f"{at}.{key}")
        for key in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
        if (probe.get(key) or 0) < 0
    ]
    if once and probe.get("successThreshold", 1) > 1:
        found.append(wrong(probe["successThreshold"], "must be 1", f"{at}.successThreshold"))
    return found


def resource_causes(resources: Object, at: str) -> list[Cause]:
    """What is wrong with requests and limits, each by itself and with one another."""
    found: list[Cause] = []
    kept: dict[str, dict[str, Quantity]] = {"limits": {}, "requests": {}}
    for what in ("limits", "requests"):
        for name, written in (resources.get(what) or {}).items():
            found += amount_causes(name, written, f"{at}.{what}[{name}]", kept[what])
    limits, requests = kept["limits"], kept["requests"]
    for name, request in requests.items():
        if name in STANDARD:
            if name in limits and request > limits[name]:
                why = f"must be less than or equal to {name} limit of {limits[name]}"
                found.append(wrong(str(request), why, f"{at}.requests"))
        elif name not in limits:
            found.append(required(f"{at}.limits", "Limit must be set for non overcommitable resources"))
        elif request != limits[name]:
            found.append(wrong(str(request), f"must be equal to {name} limit of {limits[name]}", f"{at}.requests"))
    return found


def amount_causes(name: str, written: Any, field: str, kept: dict[str, Quantity]) -> list[Cause]:
    """What is wrong with one amount of a container; puts it into `kept` where it is one."""
    if name not in STANDARD and not name.startswith("hugepages-") and "/" not in name:
        return [
            wrong(name, "must be a standard resource type or fully qualified", field),
            wrong(name, "must be a standard resource for containers", field),
        ]
    try:
        amount = parse(written)
    except ValueError as error:
        return [wrong(written, str(error), field)]
    if amount.nanos < 0:
        return [wrong(str(amount), "must be greater than or equal to 0", field)]
    if name not in STANDARD and amount != Quantity(amount.whole * 10**9):
        return [wrong(str(amount), "must be an integer", field)]
    kept[name] = amount
    return []
