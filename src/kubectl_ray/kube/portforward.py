"""The three ways that Kubernetes has to a pod's ports, in their order, and what a refusal of each means.

1. WebSocket with the subprotocol `SPDY/3.1+portforward.k8s.io`: SPDY inside one WebSocket (KEP-4006), kubectl's way.
2. WebSocket `v4.channel.k8s.io`: one connection for each WebSocket, and no half-close towards the pod.
3. `POST` with `Upgrade: SPDY/3.1`: the oldest, and the only one for a role that grants `create` alone.

WebSockets ask for the right to get pods/portforward (since Kubernetes 1.35 also to create), POST for that to create.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.kube.carrier import Carrier, Way
    from kubectl_ray.kube.client import Client


def dial(api: Client, namespace: str, pod: str, port: int, way: Way | None = None) -> Carrier:
    """Open a way to the pod; blocks. `way` is what worked before, and is tried first; `Carrier.way` says what worked.

    `port` is the one that a carrier for a single connection (way 2) leads to; the others lead to any port.

    Raises:
        NotFound: the pod is gone.
        NotLoggedIn: the login is not accepted.
        NotAllowed: no way is allowed; the words name pods/portforward and both verbs.
        Unreachable: the API server does not answer.
        ServerError: it answers, but cannot make the way (the node does not answer, the pod has ended).
    """
    raise NotImplementedError
