"""All Ray clusters of a namespace, or of all, with their pods counted: at most two LISTs, read as they stream in.

Of each cluster only what `make` keeps is held, and of its pods only counts, so that memory grows with the rows shown
and with nothing else.
"""

from __future__ import annotations

from kubectl_ray.errors import NotAllowed, NotLoggedIn
from kubectl_ray.models.health import count_pods
from kubectl_ray.models.pod import RAY_PODS
from kubectl_ray.models.resources import PODS, RAYCLUSTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from kubectl_ray.kube.client import Client
    from kubectl_ray.models.health import PodCount

    T = TypeVar("T")

MANY = 300
"""Clusters beyond which their pods are not asked for: a status is then shown only where it agrees with the spec."""


class Counts:
    """Pods by (namespace, cluster). `counted` is False where they were too many to ask for, or may not be listed."""

    def __init__(self, found: dict[tuple[str, str], PodCount] | None, *, no_right: bool = False) -> None:
        self._found = found
        self.no_right = no_right

    @property
    def counted(self) -> bool:
        """The pods were asked for, and answered."""
        return self._found is not None

    def of(self, namespace: str, name: str) -> PodCount | None:
        """The count of one cluster's pods; None when nobody counted."""
        if self._found is None:
            return None
        from kubectl_ray.models.health import PodCount

        return self._found.get((namespace, name)) or PodCount()


def clusters(
    api: Client,
    namespace: str,
    make: Callable[[dict[str, Any]], T],
    *,
    label_selector: str = "",
    field_selector: str = "",
) -> tuple[list[T], Counts]:
    """What `make` keeps of each cluster, and the counts of their pods. Namespace "" is all of them."""
    listed = api.list(RAYCLUSTERS, namespace, label_selector=label_selector, field_selector=field_selector)
    rows = [make(raw) for raw in listed]
    if not rows or len(rows) > MANY:
        return rows, Counts(None)
    return rows, counts(api, namespace)


def counts(api: Client, namespace: str, *, selector: str = RAY_PODS) -> Counts:
    """The pods of all Ray clusters of a namespace, counted; a login without the right to list them gets no counts."""
    try:
        return Counts(count_pods(api.list(PODS, namespace, label_selector=selector)))
    except NotLoggedIn:
        raise
    except NotAllowed:
        return Counts(None, no_right=True)
