"""Names of images, and what the kubelet says of those that cannot be had. Nothing is ever pulled.

An image is there unless its name matches a pattern that the user gave, or its registry's name ends in `.invalid`
(RFC 2606). Texts: Kubernetes v1.36 with containerd, recorded.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = re.compile(
    r"(?:(?P<host>(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+(?::\d+)?|[A-Za-z0-9-]+:\d+|localhost)/)?"
    r"(?P<repository>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>[a-z0-9]+:[0-9a-f]{32,}))?",
    re.ASCII,
)
DOCKER = "docker.io"


class Failure(NamedTuple):
    """Why a container has no image."""

    reason: str
    message: str


def full_name(image: str) -> str:
    """As the container runtime writes it: with registry and tag. Unchanged when it is no image's name."""
    found = _NAME.fullmatch(image)
    if found is None:
        return image
    host, repository = found["host"] or DOCKER, found["repository"]
    if host == DOCKER and "/" not in repository:
        repository = f"library/{repository}"
    end = f"@{found['digest']}" if found["digest"] else ""
    tag = found["tag"] or ("" if end else "latest")
    return f"{host}/{repository}" + (f":{tag}" if tag else "") + end


def identity(image: str) -> str:
    """The imageID of a status."""
    return "sha256:" + hashlib.sha256(full_name(image).encode()).hexdigest()


def failure(image: str, policy: str, missing: Sequence[str]) -> Failure | None:
    """Why it cannot be had; None when it is there."""
    if _NAME.fullmatch(image) is None:
        why = "invalid reference format"
        if image.lower() != image:
            why += f": repository name (library/{image}) must be lowercase"
        return Failure(
            "InvalidImageName",
            f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {why}',
        )
    name = full_name(image)
    host, _, rest = name.partition("/")
    nowhere = host.rpartition(":")[0].endswith(".invalid") if ":" in host else host.endswith(".invalid")
    if not nowhere and not any(fnmatch.fnmatchcase(each, pattern) for pattern in missing for each in (image, name)):
        return None
    if policy == "Never":
        return Failure("ErrImageNeverPull", f'Container image "{image}" is not present with pull policy of Never')
    text = f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": '
    if nowhere:
        repository, tag = re.split(r"[@:](?=[^/]*$)", rest, maxsplit=1)
        text += (
            f'failed to do request: Head "https://{host}/v2/{repository}/manifests/{tag}": dial tcp: '
            f"lookup {host.partition(':')[0]}: no such host"
        )
        return Failure("ErrImagePull", text)
    return Failure("ErrImagePull", f"rpc error: code = NotFound desc = {text}{name}: not found")
