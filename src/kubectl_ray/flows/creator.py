"""Who is logged in, as the API server sees it; for the label on what this plugin creates, and for `--mine`.

Source: Kubernetes' SelfSubjectReview (authentication.k8s.io/v1, since 1.28).
"""

from __future__ import annotations

import json

from kubectl_ray.errors import KubectlRayError, WrongUse
from kubectl_ray.manifests.cluster import creator_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.kube.client import Client

PATH = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'


def name_of(api: Client) -> str:
    """The login's user name, or empty where the server does not tell one."""
    try:
        answer = api.raw("POST", PATH, headers=[("Content-Type", "application/json")], body=REVIEW)
        review = json.loads(answer.body)
        user = review["status"]["userInfo"]["username"]
    except (KubectlRayError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return user if isinstance(user, str) else ""


def mine(api: Client) -> str:
    """The label selector for what this login created.

    Raises:
        WrongUse: the server does not tell who that is; guessing could delete what is somebody else's.
    """
    name = name_of(api)
    if not name:
        raise WrongUse(
            "The API server does not tell who you are, so nobody can say which Ray clusters are yours.",
            hint="Name them, or choose them with -l LABEL=VALUE.",
        )
    return creator_label(name)
