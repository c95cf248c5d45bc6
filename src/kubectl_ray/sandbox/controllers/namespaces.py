"""The life of namespaces: those that always exist, what each new one gets, and how one is emptied and ends.

Source: Kubernetes' `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`,
`pkg/controller/serviceaccount/serviceaccounts_controller.go` and `pkg/controller/certificates/rootcacertpublisher`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object

FIRST = ("default", "kube-node-lease", "kube-public", "kube-system")
AUTHORITY = "kube-root-ca.crt"
DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the"
    " internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes"
    " clusters."
)
LOOK_AGAIN = 5.0
"""Seconds between looks at a namespace that does not empty."""


def begin(objects: Objects) -> None:
    """Make the namespaces that every cluster has."""
    for name in FIRST:
        if objects.find(kinds.NAMESPACES, "", name) is None:
            objects.create(kinds.NAMESPACES, {"metadata": {"name": name}})


class Namespaces:
    """`authority` is the certificate of the API server's CA, in PEM, that pods would check it with."""

    def __init__(self, objects: Objects, authority: str) -> None:
        self._objects = objects
        self._authority = authority

    def keys(self, change: Change) -> Iterable[Hashable]:
        """The namespace itself, that of what it always has, and one that waits until it is empty."""
        if change.kind is kinds.NAMESPACES:
            return () if change.what == "DELETED" else (change.object["metadata"]["name"],)
        name = change.object["metadata"].get("namespace", "")
        if not name:
            return ()
        if change.kind is kinds.CONFIG_MAPS and change.object["metadata"]["name"] == AUTHORITY:
            return (name,)
        if change.what == "DELETED":
            home = self._objects.find(kinds.NAMESPACES, "", name)
            own = change.kind is kinds.SERVICE_ACCOUNTS and change.object["metadata"]["name"] == "default"
            if own or (home is not None and home["metadata"].get("deletionTimestamp")):
                return (name,)
        return ()

    async def reconcile(self, key: Hashable) -> float | None:
        """Give it what it should have, or empty it."""
        name = str(key)
        held = self._objects.find(kinds.NAMESPACES, "", name)
        if held is None:
            return None
        if held["metadata"].get("deletionTimestamp"):
            return self._end(name, held)
        self._furnish(name)
        return None

    def _furnish(self, name: str) -> None:
        if self._objects.find(kinds.SERVICE_ACCOUNTS, name, "default") is None:
            self._objects.create(kinds.SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}, name)
        data = {"ca.crt": self._authority}
        found = self._objects.find(kinds.CONFIG_MAPS, name, AUTHORITY)
        if found is None:
            meta = {"name": AUTHORITY, "annotations": {"kubernetes.io/description": DESCRIPTION}}
            self._objects.create(kinds.CONFIG_MAPS, {"metadata": meta, "data": data}, name)
        elif found.get("data") != data:
            self._objects.edit(kinds.CONFIG_MAPS, name, AUTHORITY, lambda body: body.update(data=data))

    def _end(self, name: str, held: Object) -> float | None:
        """Delete what is in it, pods before everything else, and let it go when nothing is left."""
        if "kubernetes" not in (held.get("spec") or {}).get("finalizers", []):
            return None
        self._empty(name, [kinds.PODS])
        if not self._objects.list(kinds.PODS, name):
            self._empty(name, [kind for kind in kinds.KINDS if kind.namespaced and kind is not kinds.NEW_EVENTS])
        left = [
            (kind, each)
            for kind in kinds.KINDS
            if kind.namespaced and kind is not kinds.NEW_EVENTS
            for each in self._objects.list(kind, name)
        ]
        if left:
            self._tell(name, left)
            return LOOK_AGAIN

        def finalized(body: Object) -> None:
            body["spec"]["finalizers"] = [each for each in body["spec"]["finalizers"] if each != "kubernetes"]

        self._objects.edit(kinds.NAMESPACES, "", name, finalized)
        return None

    def _empty(self, name: str, which: list[Kind]) -> None:
        for kind in which:
            for each in self._objects.list(kind, name):
                if each["metadata"].get("deletionTimestamp"):
                    continue
                try:
                    self._objects.delete(kind, name, each["metadata"]["name"])
                except Refused as refused:
                    if refused.code != 404:  # noqa: PLR2004 - gone with another one of them
                        raise

    def _tell(self, name: str, left: list[tuple[Kind, Object]]) -> None:
        """Say in the namespace's status what it waits for."""
        counted = Counter(f"{kind.plural}.{kind.group}" for kind, _each in left)
        kept = Counter(each for _kind, held in left for each in held["metadata"].get("finalizers") or [])
        remaining = ", ".join(f"{each} has {counted[each]} resource instances" for each in sorted(counted))
        holding = ", ".join(f"{each} in {kept[each]} resource instances" for each in sorted(kept))
        told = [
            ("NamespaceDeletionDiscoveryFailure", "", "ResourcesDiscovered", "All resources successfully discovered"),
            (
                "NamespaceDeletionGroupVersionParsingFailure",
                "",
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed",
            ),
            (
                "NamespaceDeletionContentFailure",
                "",
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
            ),
            (
                "NamespaceContentRemaining",
                remaining,
                "SomeResourcesRemain",
                f"Some resources are remaining: {remaining}",
            ),
            (
                ("NamespaceFinalizersRemaining", holding, "SomeFinalizersRemain")
                if holding
                else ("NamespaceFinalizersRemaining", "", "ContentHasNoFinalizers")
            )
            + (
                f"Some content in the namespace has finalizers remaining: {holding}"
                if holding
                else "All content-preserving finalizers finished",
            ),
        ]
        stamp = self._objects.now()

        def set_conditions(body: Object) -> None:
            status = body.setdefault("status", {})
            known = {each["type"]: each for each in status.get("conditions") or []}
            made = []
            for type_, is_so, reason, message in told:
                condition = {
                    "type": type_,
                    "status": "True" if is_so else "False",
                    "reason": reason,
                    "message": message,
                }
                before = known.get(type_)
                same = before is not None and all(before[key] == value for key, value in condition.items())
                made.append(before if same else {**condition, "lastTransitionTime": stamp})
            status["conditions"] = made

        self._objects.edit(kinds.NAMESPACES, "", name, set_conditions, status=True)
