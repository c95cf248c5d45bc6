"""Rows of open sessions."""

from __future__ import annotations

from kubectl_ray.models.age import since
from kubectl_ray.results import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Row:
    """One session, as `-o json` has it (`facts`); it `began` then, and it is `now`: seconds since 1970."""

    __slots__ = ("began", "facts", "now")

    def __init__(self, facts: Mapping[str, Any], began: float, now: float) -> None:
        self.facts = facts
        self.began = began
        self.now = now

    @property
    def name(self) -> str:
        """What it leads to: a Ray cluster's name alone, `rayservice/x`."""
        return written(self.facts["type"], self.facts["name"])

    @property
    def ports(self) -> str:
        """Ports of this machine, by what answers there, as the flag --port writes them."""
        return ",".join(f"{name}={port}" for name, port in self.facts["ports"].items()) or "<connecting>"

    @property
    def pid(self) -> str:
        """Its process; with the machine's name where that is another one."""
        host = self.facts.get("otherHost")
        return f"{self.facts['pid']}@{host}" if host else str(self.facts["pid"])


def written(kind: str, name: str) -> str:
    """`x` of a Ray cluster, `rayservice/x` of another kind: how it is given to `cluster session`."""
    return name if kind == "raycluster" else f"{kind}/{name}"


COLUMNS = (
    Column("NAME", lambda row: row.name),
    Column("NAMESPACE", lambda row: row.facts["namespace"]),
    Column("CONTEXT", lambda row: row.facts["context"] or "<none>"),
    Column("PORTS", lambda row: row.ports),
    Column("DASHBOARD", lambda row: row.facts["urls"].get("dashboard", "<none>")),
    Column("SINCE", lambda row: since(row.began, row.now)),
    Column("PID", lambda row: row.pid),
    Column("CLUSTER", lambda row: row.facts["cluster"] or "<none>", wide=True),
    Column("SERVER", lambda row: row.facts["server"], wide=True),
    Column("LOG", lambda row: row.facts["log"] or "<none>", wide=True),
)
