"""Who is logged in, as the API server sees it; for the label on what this plugin creates, and for `--mine`.

Source: Kubernetes' SelfSubjectReview (authentication.k8s.io/v1, since 1.28).
"""

from __future__ import annotations

import json

from kubectl_ray.errors import KubectlRayError

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
    except (KubectlRayError, ValueError, KeyError, TypeError):
        return ""
    return user if isinstance(user, str) else ""
