"""One change of a Ray cluster that others may be changing too: a JSON patch with tests, tried three times.

Source: RFC 6902. A failed `test` reaches us as a Conflict; the object is then read again and the change decided anew.
"""

from __future__ import annotations

from kubectl_ray.errors import Conflict
from kubectl_ray.models.resources import RAYCLUSTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kubectl_ray.kube.client import Client

TRIES = 3


def patched(
    api: Client,
    name: str,
    namespace: str,
    decide: Callable[[dict[str, Any]], list[dict[str, Any]]],
    *,
    seen: dict[str, Any],
    dry_run: bool = False,
) -> dict[str, Any]:
    """Send what `decide` makes of the cluster as `seen`; read again and decide anew when somebody was faster.

    Returns the changed object, or `seen` itself when there is nothing to change.

    Raises:
        Conflict: somebody was faster three times in a row.
    """
    left = TRIES
    while True:
        operations = decide(seen)
        if not operations:
            return seen
        try:
            return api.patch_json(RAYCLUSTERS, name, operations, namespace, dry_run=dry_run)
        except Conflict as error:
            left -= 1
            if not left:
                raise Conflict(
                    f"Somebody else keeps changing Ray cluster {name}: {TRIES} tries met a newer version each.",
                    hint=f"Look at it, then try again:  kubectl ray cluster describe {name} -n {namespace}",
                ) from error
            seen = api.get(RAYCLUSTERS, name, namespace)
