"""How a Ray cluster tells its users apart: `spec.authOptions` of a RayCluster, as the operator reads it.

Source: KubeRay's `AuthOptions` and `CheckName` (controllers/ray/utils). Token authentication can also be switched on
without them, by the environment of the head: only Ray itself tells (`/api/authentication_mode`).
"""

from __future__ import annotations

from kubectl_ray.models.fields import dig, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.models.cluster import Cluster

KEY = "auth_token"
"""Of the Secret's data."""
LONGEST = 50
"""Letters of a name that the operator makes; of a longer one it keeps the end."""


class Authentication:
    """What the spec of one cluster says of it."""

    __slots__ = ("kubernetes_tokens", "mode", "secret")

    def __init__(self, cluster: Cluster) -> None:
        self.mode = text(dig(cluster.spec, "authOptions", "mode"))
        """`token`, `disabled`, or "" where nothing is said."""
        self.kubernetes_tokens = dig(cluster.spec, "authOptions", "enableK8sTokenAuth") is True
        """Ray takes the Kubernetes tokens of its users: there is no Secret."""
        self.secret = text(dig(cluster.spec, "authOptions", "secretName")) or checked(cluster.name)
        """Name of the Secret that holds the token, where there is one."""


def checked(name: str) -> str:
    """The name as the operator's `CheckName` makes it: its last 50 letters, no digit or punctuation in front."""
    name = name[-LONGEST:]
    return f"r{name[1:]}" if name and not name[0].isalpha() else name
