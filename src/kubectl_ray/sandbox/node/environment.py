"""A container's environment: what its spec says, with references to secrets, ConfigMaps and the pod itself.

Source: Kubernetes, `pkg/kubelet/kubelet_pods.go` (makeEnvironmentVariables), `third_party/forked/golang/expansion`
and `pkg/fieldpath`; the texts of what is missing are recorded.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.kinds import CONFIG_MAPS, SECRETS
from kubectl_ray.sandbox.api.quantities import Quantity, parse
from kubectl_ray.sandbox.api.resources import Amounts, asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

_INDEXED = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")


class Missing(Exception):
    """Something that the container's spec names is not there: it waits with CreateContainerConfigError."""


def environment(objects: Objects, pod: Object, container: Object, offered: Amounts) -> dict[str, str]:
    """The variables of the spec, in its order. `offered` is what the machine has, where no limit is set.

    Raises:
        Missing: a ConfigMap, a Secret, or a key in one.
    """
    namespace = pod["metadata"]["namespace"]
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        prefix = source.get("prefix", "")
        found |= {prefix + name: text for name, text in _all_of(objects, namespace, source).items()}
    for variable in container.get("env") or []:
        name, value = variable["name"], variable.get("value", "")
        if variable.get("valueFrom"):
            text = _from(objects, pod, container, variable["valueFrom"], offered)
            if text is None:
                continue
            found[name] = text
        else:
            found[name] = expand(value, found)
    return found


def expand(text: str, known: Mapping[str, str]) -> str:
    """`$(NAME)` becomes its value, `$$` a dollar sign; a name that is not known stays as it is."""

    def one(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return known.get(match[1], match[0])

    return _REFERENCE.sub(one, text)


def _all_of(objects: Objects, namespace: str, source: Object) -> dict[str, str]:
    if source.get("configMapRef"):
        reference = source["configMapRef"]
        held = config_data(objects, namespace, reference["name"])
        word = "configmap"
    else:
        reference = source["secretRef"]
        held = secret_data(objects, namespace, reference["name"])
        word = "secret"
    if held is None and not reference.get("optional"):
        raise Missing(f'{word} "{reference["name"]}" not found')
    return {name: data.decode(errors="replace") for name, data in (held or {}).items()}


def _from(objects: Objects, pod: Object, container: Object, source: Object, offered: Amounts) -> str | None:
    namespace = pod["metadata"]["namespace"]
    if source.get("fieldRef"):
        return field(pod, source["fieldRef"]["fieldPath"])
    if source.get("resourceFieldRef"):
        return resource(pod, container, source["resourceFieldRef"], offered)
    if source.get("configMapKeyRef"):
        reference, word, kind = source["configMapKeyRef"], "configmap", "ConfigMap"
        held = config_data(objects, namespace, reference["name"])
    else:
        reference, word, kind = source["secretKeyRef"], "secret", "Secret"
        held = secret_data(objects, namespace, reference["name"])
    if held is not None and reference["key"] in held:
        return held[reference["key"]].decode(errors="replace")
    if reference.get("optional"):
        return None
    if held is None:
        raise Missing(f'{word} "{reference["name"]}" not found')
    raise Missing(f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}")


def config_data(objects: Objects, namespace: str, name: str) -> dict[str, bytes] | None:
    """What a ConfigMap holds; None when there is none."""
    held = objects.find(CONFIG_MAPS, namespace, name)
    if held is None:
        return None
    texts = {key: text.encode() for key, text in (held.get("data") or {}).items()}
    return texts | {key: _decoded(text) for key, text in (held.get("binaryData") or {}).items()}


def secret_data(objects: Objects, namespace: str, name: str) -> dict[str, bytes] | None:
    """What a Secret holds; None when there is none."""
    held = objects.find(SECRETS, namespace, name)
    if held is None:
        return None
    plain = {key: text.encode() for key, text in (held.get("stringData") or {}).items()}
    return {key: _decoded(text) for key, text in (held.get("data") or {}).items()} | plain


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text or "")
    except binascii.Error:
        return b""


def field(pod: Object, path: str) -> str:
    """What a fieldRef means; "" where the pod does not have it."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    indexed = _INDEXED.fullmatch(path)
    if indexed:
        return str((meta.get(indexed[1]) or {}).get(indexed[2], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        held = meta.get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{_quoted(text)}"' for key, text in sorted(held.items()))
    part, _, name = path.partition(".")
    if path in {"status.podIPs", "status.hostIPs"}:
        return ",".join(each["ip"] for each in status.get(name) or [])
    return str({"metadata": meta, "spec": spec, "status": status}.get(part, {}).get(name, "") or "")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resource(pod: Object, container: Object, reference: Object, offered: Amounts) -> str:
    """What a resourceFieldRef means: whole units of its divisor, rounded up; the machine's own where none is set."""
    named = reference.get("containerName") or container["name"]
    every = [*pod["spec"].get("containers", []), *pod["spec"].get("initContainers", [])]
    meant = (
        container if named == container["name"] else next((each for each in every if each["name"] == named), container)
    )
    what, _, name = reference["resource"].partition(".")
    alone = {"spec": {"containers": [meant]}}
    amount = asked(alone, what).get(name)
    if amount is None and what == "limits":
        amount = offered.get(name)
    amount = amount or Quantity(0)
    divisor = parse(reference.get("divisor") or "0")
    unit = divisor if divisor.nanos else parse("1")
    return str(-(-amount.nanos // unit.nanos))
