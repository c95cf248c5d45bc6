"""What of a pod's template only shows when the operator makes the pod: names and keys that Kubernetes then refuses.

A RayCluster's schema takes any text there, so the API server accepts it, also in a dry run. Source: Kubernetes'
validation of PodSpec (names are DNS-1123 subdomains, keys are qualified names, values are label values).
"""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.models.fields import mapping, mappings, text, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SUBDOMAIN_LENGTH = 253
PART_LENGTH = 63

_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_ANY = _LOWER | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_INNER = _ANY | frozenset("-_.")


def check_pod(who: str, template: dict[str, Any]) -> None:
    """Raise WrongUse when Kubernetes would refuse a pod of this spec; `who` is `head` or `worker`, as the flags say."""
    for container in mappings(template.get("containers")):
        image = text(container.get("image"))
        if not image or not image.isprintable() or " " in image:
            raise WrongUse(f"--image={image!r}: this is no image.", "Write it as rayproject/ray:2.52.0.")
    account = text(template.get("serviceAccountName"))
    if account and not is_subdomain(account):
        raise _no_name("--service-account", account)
    for secret in mappings(template.get("imagePullSecrets")):
        if not is_subdomain(text(secret.get("name"))):
            raise _no_name("--image-pull-secret", text(secret.get("name")))
    for key, value in texts(mapping(template.get("nodeSelector"))).items():
        _check_pair(f"--{who}-node-selectors", key, value)
    for toleration in mappings(template.get("tolerations")):
        key = text(toleration.get("key"))
        if key:
            _check_pair(f"--{who}-tolerations", key, text(toleration.get("value")))


def is_subdomain(name: str) -> bool:
    """Is this a DNS-1123 subdomain: `trainer`, `my.registry-secret`?"""
    return 0 < len(name) <= SUBDOMAIN_LENGTH and all(
        part and part[0] in _LOWER and part[-1] in _LOWER and all(letter in _LOWER or letter == "-" for letter in part)
        for part in name.split(".")
    )


def is_qualified(key: str) -> bool:
    """Is this a key of labels: `pool`, `cloud.google.com/gke-tpu-topology`?"""
    prefix, slash, name = key.rpartition("/")
    return bool(name) and is_value(name) and (not slash or is_subdomain(prefix))


def is_value(value: str) -> bool:
    """Is this a label's value? An empty one is."""
    if not value:
        return True
    ends = value[0] in _ANY and value[-1] in _ANY
    return len(value) <= PART_LENGTH and ends and all(letter in _INNER for letter in value)


def _check_pair(flag: str, key: str, value: str) -> None:
    if not is_qualified(key):
        raise WrongUse(f"{flag}: {key!r} cannot be the key of a label.", "Keys look like pool or example.com/pool.")
    if not is_value(value):
        raise WrongUse(
            f"{flag}: {value!r} cannot be the value of a label.",
            f"At most {PART_LENGTH} letters, digits, -, _ and ., a letter or digit first and last.",
        )


def _no_name(flag: str, name: str) -> WrongUse:
    return WrongUse(
        f"{flag}={name!r}: nothing in Kubernetes can have this name.",
        "Lower-case letters, digits, - and . only, a letter or digit first and last.",
    )
