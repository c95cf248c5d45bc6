"""Makes `messages.json.gz`; run by hand when Kubernetes is to be followed to a new version.

    python -m kubectl_ray.sandbox.serving.protobuf.make API APIMACHINERY

Both are folders of Go modules: `k8s.io/api` and `k8s.io/apimachinery` (`go mod download` fetches them). The struct
definitions in their `types.go` say of each field its name in JSON, its number in protobuf, and whether it is a pointer,
which no `.proto` file tells.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
CORE = "Namespace Pod Service Event Secret ConfigMap ServiceAccount ResourceQuota LimitRange Binding"
ROOTS = {
    "v1": ("core/v1", f"{CORE} PersistentVolumeClaim"),
    "events.k8s.io/v1": ("events/v1", "Event"),
    "discovery.k8s.io/v1": ("discovery/v1", "EndpointSlice"),
    "batch/v1": ("batch/v1", "Job"),
    "rbac.authorization.k8s.io/v1": ("rbac/v1", "Role RoleBinding ClusterRole ClusterRoleBinding"),
    "scheduling.k8s.io/v1": ("scheduling/v1", "PriorityClass"),
    "policy/v1": ("policy/v1", "Eviction"),
    "authentication.k8s.io/v1": ("authentication/v1", "TokenRequest SelfSubjectReview"),
    "authorization.k8s.io/v1": ("authorization/v1", "SelfSubjectAccessReview SelfSubjectRulesReview"),
}
"""What clients send: by apiVersion the package below `k8s.io/api`, and the types."""
META = "k8s.io/apimachinery/pkg/apis/meta/v1"
SPECIAL = {
    f"{META}.Time": "Time",
    f"{META}.MicroTime": "MicroTime",
    f"{META}.Duration": "Duration",
    f"{META}.FieldsV1": "Raw",
    "k8s.io/apimachinery/pkg/runtime.RawExtension": "Raw",
    "k8s.io/apimachinery/pkg/api/resource.Quantity": "Quantity",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "IntOrString",
    "k8s.io/apimachinery/pkg/types.UID": "string",
    "k8s.io/apimachinery/pkg/types.NodeName": "string",
}
"""Types that JSON shows otherwise than as their fields."""
SCALARS = {"string", "bool", "int32", "int64", "uint32", "float64", "[]byte"}

STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
ALIAS = re.compile(r"^type (\w+) ([^\s{]+)$", re.MULTILINE)
IMPORT = re.compile(r'^\t(?:(\w+) )?"([\w./-]+)"$', re.MULTILINE)
FIELD = re.compile(r'^\t(?:(\w+)\s+)?(\S+)\s+`json:"([^"]*)"[^`\n]* ?protobuf:"\w+,(\d+),', re.MULTILINE)


class _Package(NamedTuple):
    structs: dict[str, str]
    aliases: dict[str, str]
    imports: dict[str, str]


class Maker:
    """Follows types from package to package."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = folders
        self._packages: dict[str, _Package] = {}
        self.messages: dict[str, dict[str, Any]] = {}

    def add(self, package: str, name: str) -> str:
        """Take a type in with all that it is made of; returns what the table calls it."""
        full = f"{package}.{name}"
        if full in SPECIAL:
            return SPECIAL[full]
        found = self._package(package)
        if name in found.aliases:
            return self._kind(package, found.aliases[name])
        shown = full.removeprefix("k8s.io/").removeprefix("api/")
        if shown not in self.messages:
            fields = self.messages[shown] = {}
            for _go, type_, tag, number in FIELD.findall(found.structs[name]):
                json_name, _, options = tag.partition(",")
                pointer = type_.startswith("*")
                kept = pointer or "omitempty" not in options
                fields[number] = [json_name, self._kind(package, type_.lstrip("*")), int(kept)]
        return shown

    def _kind(self, package: str, type_: str) -> str:
        if type_ in SCALARS:
            return type_
        if type_.startswith("[]"):
            return "[]" + self._kind(package, type_[2:].lstrip("*"))
        if type_.startswith("map["):
            return "map:" + self._kind(package, type_.partition("]")[2])
        alias, _, name = type_.rpartition(".")
        if not alias:
            return self.add(package, name)
        return self.add(self._package(package).imports[alias], name)

    def _package(self, package: str) -> _Package:
        if package not in self._packages:
            text = self._source(package)
            imports = {alias or path.rpartition("/")[2]: path for alias, path in IMPORT.findall(text)}
            self._packages[package] = _Package(dict(STRUCT.findall(text)), dict(ALIAS.findall(text)), imports)
        return self._packages[package]

    def _source(self, package: str) -> str:
        for prefix, folder in self._folders.items():
            if package.startswith(prefix + "/"):
                return (folder / package.removeprefix(prefix + "/") / "types.go").read_text()
        return ""


def main(api: str, apimachinery: str) -> None:
    """Write the table.

    Raises:
        OSError: the sources cannot be read.
        KeyError: they have another form than expected.
    """
    maker = Maker({"k8s.io/api": Path(api), "k8s.io/apimachinery": Path(apimachinery)})
    roots = {
        f"{version}/{name}": maker.add(f"k8s.io/api/{package}", name)
        for version, (package, names) in ROOTS.items()
        for name in names.split()
    }
    roots["DeleteOptions"] = maker.add(META, "DeleteOptions")
    text = json.dumps({"roots": roots, "messages": maker.messages}, separators=(",", ":"), sort_keys=True)
    (HERE / "messages.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
