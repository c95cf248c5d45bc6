"""Makes the data files of this folder; run by hand when Kubernetes or KubeRay is to be followed to a new version.

    python -m kubectl_ray.sandbox.api.schemas.make fetch FOLDER URL      URL: what `kubectl proxy` prints
    python -m kubectl_ray.sandbox.api.schemas.make build FOLDER CRDS     CRDS: KubeRay's `ray-operator/config/crd/bases`

`fetch` keeps what a real API server says: its OpenAPI v3 documents and an empty Table of each kind. `build` takes from
them the types of the kinds that the sandbox serves (kinds.py), without descriptions, and from KubeRay's YAML files the
custom resource definitions, where equal parts (the pod templates) are written once.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api.kinds import KINDS, RAY

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
FURTHER = {
    "v1": ("Status", "DeleteOptions", "Binding"),
    "policy/v1": ("Eviction",),
    "authentication.k8s.io/v1": ("TokenRequest", "SelfSubjectReview", "TokenReview"),
    "authorization.k8s.io/v1": (
        "SelfSubjectAccessReview",
        "SelfSubjectRulesReview",
        "SubjectAccessReview",
        "LocalSubjectAccessReview",
    ),
}
"""Types beside the kinds, by the group and version that serves them."""
REF = "#/components/schemas/"
VALUES = frozenset({"default", "enum", "required", "x-kubernetes-validations", "x-kubernetes-list-map-keys"})
"""Parts of a schema that hold values, not further schemas."""
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def fetch(folder: Path, url: str) -> None:
    """Ask a cluster, through `kubectl proxy` at this URL, for all that `build` needs.

    Raises:
        OSError: nobody answers there, or with an error.
    """
    from urllib.request import Request, urlopen

    def ask(path: str, accept: str, name: str) -> None:
        with urlopen(Request(url.rstrip("/") + path, headers={"Accept": accept})) as answer:  # noqa: S310 - a URL given by hand
            (folder / name).write_bytes(answer.read())

    folder.mkdir(parents=True, exist_ok=True)
    for served in sorted({kind.api_version for kind in KINDS if kind.group != RAY} | set(FURTHER)):
        where = f"apis/{served}" if "/" in served else f"api/{served}"
        ask(f"/openapi/v3/{where}", "application/json", f"openapi-{served.replace('/', '-')}.json")
    for kind in KINDS:
        ask(f"{kind.path()}?limit=1&includeObject=None", TABLE, f"table-{kind.resource}.json")


def build(answers: Path, crds: Path, into: Path = HERE) -> None:
    """Write the data files.

    Raises:
        OSError: a file is missing.
        ValueError: a file is not what `fetch` or KubeRay writes.
    """
    write(into / "kubernetes.json.gz", built_in_types(answers))
    write(into / "kuberay.json.gz", ray_definitions(crds))
    write(into / "columns.json.gz", columns(answers))


def write(path: Path, content: Any) -> None:
    """The same bytes for the same content, whenever it is made."""
    text = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
    path.write_bytes(gzip.compress(text, 9, mtime=0))


def built_in_types(answers: Path) -> dict[str, Any]:
    """`types` by Kubernetes' own names, and `kinds`: which type `v1/Pod` is."""
    types: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    wanted: dict[str, set[str]] = {each: set(names) for each, names in FURTHER.items()}
    for kind in KINDS:
        if kind.group != RAY:
            wanted.setdefault(kind.api_version, set()).update((kind.name, f"{kind.name}List"))
    for served, names in wanted.items():
        found = json.loads((answers / f"openapi-{served.replace('/', '-')}.json").read_text())["components"]["schemas"]
        for name, schema in found.items():
            for each in schema.get("x-kubernetes-group-version-kind", ()):
                own = f"{each['group']}/{each['version']}" if each["group"] else each["version"]
                if own == served and each["kind"] in names:
                    kinds[f"{own}/{each['kind']}"] = name
                    _take(found, name, types)
    for schema in types.values():
        known = [each for each in schema.get("x-kubernetes-group-version-kind", ()) if _own(each) in wanted]
        if known:
            schema["x-kubernetes-group-version-kind"] = known
    return {"types": types, "kinds": kinds}


def _own(each: dict[str, str]) -> str:
    return f"{each['group']}/{each['version']}" if each["group"] else each["version"]


def _take(found: dict[str, Any], name: str, types: dict[str, Any]) -> None:
    """This type and all that it is made of."""
    if name in types:
        return
    types[name] = bare(found[name])
    for inner in _references(types[name]):
        _take(found, inner, types)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(REF)
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def bare(schema: Any) -> Any:
    """A schema without its descriptions; a field that is named `description` stays."""
    if isinstance(schema, list):
        return [bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "description" and isinstance(value, str):
            continue
        if key == "properties":
            made[key] = {name: bare(inner) for name, inner in value.items()}
        else:
            made[key] = value if key in VALUES else bare(value)
    return made


def ray_definitions(folder: Path) -> dict[str, Any]:
    """`crds`: the definitions with version v1 only and a number as schema; `parts`: what the numbers mean."""
    import yaml

    parts: dict[str, int] = {}
    listed: list[Any] = []
    crds: dict[str, Any] = {}
    names = {kind.resource for kind in KINDS if kind.group == RAY}
    for path in sorted(folder.glob("ray.io_*.yaml")):
        crd = yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
        if crd["metadata"]["name"] not in names:
            continue
        version = next(each for each in crd["spec"]["versions"] if each["name"] == "v1")
        version["schema"]["openAPIV3Schema"] = _shared(bare(version["schema"]["openAPIV3Schema"]), parts, listed)
        crd["spec"]["versions"] = [version]
        crds[crd["metadata"]["name"]] = crd
    if crds.keys() != names:
        raise ValueError(f"{folder} has definitions of {sorted(crds)}, not of {sorted(names)}")
    return {"crds": crds, "parts": listed}


def _shared(schema: Any, parts: dict[str, int], listed: list[Any]) -> Any:
    """The number of this part among all parts; equal parts have one number. Fields' schemas become numbers too."""
    made = dict(schema)
    for key in ("properties", "items", "additionalProperties", "anyOf"):
        value = made.get(key)
        if key == "properties" and value is not None:
            made[key] = {name: _shared(inner, parts, listed) for name, inner in value.items()}
        elif isinstance(value, dict):
            made[key] = _shared(value, parts, listed)
        elif isinstance(value, list):
            made[key] = [_shared(each, parts, listed) for each in value]
    text = json.dumps(made, sort_keys=True)
    if text not in parts:
        parts[text] = len(listed)
        listed.append(made)
    return parts[text]


def columns(answers: Path) -> dict[str, Any]:
    """The columns of each built-in kind's table, by the kind's resource name."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        if kind.group != RAY:
            found[kind.resource] = json.loads((answers / f"table-{kind.resource}.json").read_text())[
                "columnDefinitions"
            ]
    return found


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fetch", folder, url]:
            fetch(Path(folder), url)
        case ["build", folder, crds]:
            build(Path(folder), Path(crds))
        case _:
            sys.exit(__doc__)
