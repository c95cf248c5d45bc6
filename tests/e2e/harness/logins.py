"""Kubeconfigs for logins that are not the suite's own: few rights, no rights, wrong, or none at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.e2e.harness.oracle import Kubectl

Object = dict[str, Any]
Rule = tuple[str, str, str]
"""API group, resources and verbs, each with commas between."""

READER: tuple[Rule, ...] = (("ray.io", "rayclusters", "get,list,watch"),)
SEES_HEAD: tuple[Rule, ...] = (("ray.io", "rayclusters", "get"), ("", "pods", "get,list,watch"))
TUNNELLER: tuple[Rule, ...] = (*SEES_HEAD, ("", "pods/portforward", "get,create"))
"""All that a session needs."""


CREDENTIAL = "client.authentication.k8s.io/v1"


class Logins:
    """Writes kubeconfigs into a folder, each for one context named `it`."""

    def __init__(self, kubectl: Kubectl, namespace: str, folder: Path) -> None:
        self._kubectl = kubectl
        self._namespace = namespace
        self._folder = folder
        self._server: Object = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))

    @property
    def server(self) -> Object:
        """The kubeconfig's entry for the API server: its address and certificates."""
        entry: Object = self._server["clusters"][0]["cluster"]
        return dict(entry)

    @property
    def user(self) -> Object:
        """The suite's own login."""
        entry: Object = self._server["users"][0]["user"]
        return dict(entry)

    def write(self, name: str, *, server: Object | None = None, user: Object | None = None, **more: Any) -> str:
        """A kubeconfig with this server (the suite's when not given) and this user (none when not given)."""
        context = {"cluster": "it", "user": "it", "namespace": self._namespace}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "clusters": [{"name": "it", "cluster": self.server if server is None else server}],
            "users": [{"name": "it", "user": user or {}}],
            "contexts": [{"name": "it", "context": context}],
            **more,
        }
        path = self._folder / f"{name}.kubeconfig"
        path.write_text(json.dumps(document))
        path.chmod(0o600)
        return str(path)

    def with_rights(self, name: str, *rules: Rule) -> str:
        """A kubeconfig of a service account that may do this in the suite's namespace, and nothing else."""
        allowed = [
            {"apiGroups": groups.split(","), "resources": resources.split(","), "verbs": verbs.split(",")}
            for groups, resources, verbs in rules
        ]
        rbac = "rbac.authorization.k8s.io"
        self._apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})
        self._apply({"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": {"name": name}, "rules": allowed})
        self._apply(
            {
                "apiVersion": f"{rbac}/v1",
                "kind": "RoleBinding",
                "metadata": {"name": name},
                "roleRef": {"apiGroup": rbac, "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": self._namespace}],
            }
        )
        token = self._kubectl("create", "token", name, "--duration=2h").strip()
        return self.write(name, user={"token": token})

    def by_program(self, name: str, command: str, **more: Any) -> str:
        """A kubeconfig whose login is asked from a program; `more`: the further fields of its `exec` entry."""
        entry = {"apiVersion": CREDENTIAL, "interactiveMode": "Never", "command": command, **more}
        return self.write(name, user={"exec": entry})

    @staticmethod
    def credential(path: Path, kubeconfig: str) -> None:
        """Write what such a program prints: the token of a kubeconfig that `with_rights` made."""
        (user,) = json.loads(Path(kubeconfig).read_text())["users"]
        status = {"token": user["user"]["token"]}
        path.write_text(json.dumps({"apiVersion": CREDENTIAL, "kind": "ExecCredential", "status": status}))

    def _apply(self, made: Object) -> None:
        self._kubectl("apply", "-f", "-", feed=made)
