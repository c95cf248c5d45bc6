"""Server-side apply, and the record of who wrote which field that it needs from all other writes too.

Source: Kubernetes KEP-555; sigs.k8s.io/structured-merge-diff v6 `merge/update.go`; apimachinery `managedfields`.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import decoding, fields, last_applied, managers, schemas, typed
from kubectl_ray.sandbox.api.managers import APPLY, BEFORE_FIRST_APPLY, UPDATE, Entry, Manager
from kubectl_ray.sandbox.api.refusals import Refused, bad_request, conflict
from kubectl_ray.sandbox.api.strategic import go_map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.sandbox.api.fields import Fields, Path
    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.managers import Entries
    from kubectl_ray.sandbox.api.schemas import Schema
    from kubectl_ray.sandbox.api.store import Object


def read_patch(kind: Kind, text: bytes, *, strict: bool = False) -> Object:
    """What is to be applied.

    Raises:
        Refused: 400 it cannot be read, is of another kind or version, or names its own managers; 500 it does not fit
            the kind's type.
    """
    try:
        body = decoding.read_yaml(text)
    except decoding.NotReadable as wrong:
        raise bad_request(f"error decoding YAML: error converting YAML to JSON: {wrong}") from None
    if body.duplicates and strict:
        key = body.duplicates[0].rpartition(".")[2]
        told = f'yaml: unmarshal errors:\n  line 1: key "{key}" already set in map'
        raise bad_request(f"error strict decoding YAML: error converting YAML to JSON: {told}")
    patch = {} if body.value is None else body.value
    if not isinstance(patch, dict):
        told = f"json: cannot unmarshal {typed.json_type(patch)} into Go value of type map[string]interface {{}}"
        raise bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {told}")
    api, name = patch.get("apiVersion", ""), patch.get("kind", "")
    if (api, name) != (kind.api_version, kind.name):
        raise bad_request(f"invalid object type: {_group_version(str(api))}, Kind={name}")
    meta = patch.get("metadata")
    if isinstance(meta, dict) and meta.get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    misfits = list(_misfits(fields.root(kind), patch, ""))
    if misfits:
        listed = misfits[0] if len(misfits) == 1 else "errors:" + "".join(f"\n  {each}" for each in misfits)
        raise Refused(500, "", f"failed to create typed patch object ({_identity(kind, patch)}): {listed}")
    return patch


def _group_version(api: str) -> str:
    """How Go shows a group and version: the core group is empty."""
    return api if "/" in api else f"/{api}"


def _identity(kind: Kind, patch: Object) -> str:
    meta = patch.get("metadata")
    name, namespace = (meta.get(key) for key in ("name", "namespace")) if isinstance(meta, dict) else (None, None)
    told = f"{namespace if isinstance(namespace, str) else ''}/{name if isinstance(name, str) else ''}"
    return f"{told}; {_group_version(kind.api_version)}, Kind={kind.name}"


def _misfits(schema: Schema, value: Any, path: str) -> Iterator[str]:
    """Where a value is not of its type."""
    if value is None:
        return
    how, keys = fields.form(schema)
    own = schemas.resolved(schema)
    sort = "" if schemas.referred(schema) in typed.SCALARS else own.get("type")
    if sort == "object":
        if not isinstance(value, dict):
            yield f"{path}: expected map, got &{{{go_map(value)}}}"
        else:
            yield from _misfitting_members(own, value, path)
    elif sort == "array":
        if not isinstance(value, list):
            yield f"{path}: expected list, got &{{{go_map(value)}}}"
        else:
            yield from _misfitting_entries(schema, how, keys, value, path)
    elif sort and "x-kubernetes-int-or-string" not in own:
        yield from _misfitting_scalar(sort, value, path)


def _misfitting_members(own: Schema, value: dict[str, Any], path: str) -> Iterator[str]:
    free = own.get("additionalProperties") or own.get("x-kubernetes-preserve-unknown-fields")
    closed = "properties" in own and not free
    for key in sorted(value):
        if closed and key not in own["properties"]:
            yield f"{path}.{key}: field not declared in schema"
            return
        yield from _misfits(fields.member(own, key), value[key], f"{path}.{key}")


def _misfitting_entries(schema: Schema, how: str, keys: tuple[str, ...], value: list[Any], path: str) -> Iterator[str]:
    items = schemas.resolved(schema).get("items", fields.ANYTHING)
    seen: set[str] = set()
    for index, each in enumerate(value):
        here = f"[{index}]"
        if how in {"list", "set"}:
            if keys and not isinstance(each, dict):
                yield f"{path}: element {index}: associative list with keys may not have non-map elements"
                return
            here = fields.told((fields.element(schema, keys, each),))
            if here in seen:
                yield f"{path}: duplicate entries for key {here}"
                return
            seen.add(here)
        yield from _misfits(items, each, path + here)


def _misfitting_scalar(sort: str, value: Any, path: str) -> Iterator[str]:
    if sort == "string" and not isinstance(value, str):
        yield f"{path}: expected string, got &value.valueUnstructured{{Value:{_go_value(value)}}}"
    elif sort == "boolean" and not isinstance(value, bool):
        yield f"{path}: expected boolean, got &{{{go_map(value)}}}"
    elif sort in {"integer", "number"} and (isinstance(value, bool) or not isinstance(value, int | float)):
        yield f"{path}: expected numeric (int or float), got {_go_type(value)}"


def _go_type(value: Any) -> str:
    if isinstance(value, bool | str):
        return "bool" if isinstance(value, bool) else "string"
    return "map[string]interface {}" if isinstance(value, dict) else "[]interface {}"


def _go_value(value: Any) -> str:
    """A value as Go's `%#v` prints it."""
    if isinstance(value, dict):
        inside = ", ".join(f'"{key}":{_go_value(each)}' for key, each in sorted(value.items()))
        return f"map[string]interface {{}}{{{inside}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(_go_value(each) for each in value)}}}"
    return f'"{value}"' if isinstance(value, str) else go_map(value)


def applied(  # noqa: PLR0913 - one keyword for each thing that the answer depends on
    kind: Kind,
    live: Object | None,
    patch: Object,
    name: str,
    *,
    now: str,
    force: bool = False,
    subresource: str = "",
    namespace: str = "",
    object_name: str = "",
) -> Object:
    """The object after `name` applied the patch, its managers included; it is still to be checked.

    The very same object comes back where nothing changes. Without `live` the object is new.

    Raises:
        Refused: 400 the patch is about another object; 409 others own fields that it would change, or it names
            another version.
    """
    schema = fields.root(kind)
    before = live or {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": object_name, **({"namespace": namespace} if kind.namespaced else {})},
    }
    _same_object(kind, before, patch, new=live is None)
    wanted = _writable(kind, patch, subresource)
    entries = managers.read(live)
    if live is not None and not entries:
        early = Manager(BEFORE_FIRST_APPLY, UPDATE, kind.api_version)
        written = fields.compared(schema, _blank(schema), live).changed - managers.SERVERS_OWN
        entries = {early.key(): Entry(early, written, now)}
    own = Manager(name, APPLY, kind.api_version, subresource)
    last = entries.get(own.key())
    owned = fields.owned(schema, wanted) - managers.SERVERS_OWN
    entries[own.key()] = Entry(own, owned, last.time if last and last.owned == owned else now)
    after = fields.merged(schema, before, wanted)
    if last is not None:
        after = _pruned(schema, after, last.owned, entries)
    others = {key: each for key, each in entries.items() if key != own.key()}
    compared = fields.compared(schema, before, after)
    if not force:
        _no_conflict(others, compared.changed - last_applied.allowed(kind, live, name))
    kept = managers.without_others(others, compared.changed | compared.removed)
    kept[own.key()] = entries[own.key()] if not _differ(compared) else entries[own.key()]._replace(time=now)
    after = last_applied.noted(live, after, patch, name)
    return _with_managers(after, {key: each for key, each in kept.items() if each.owned})


def _differ(compared: fields.Compared) -> bool:
    return bool((compared.changed | compared.removed) - managers.SERVERS_OWN)


def _same_object(kind: Kind, before: Object, patch: Object, *, new: bool) -> None:
    meta = patch.get("metadata")
    given, there = (meta if isinstance(meta, dict) else {}), before["metadata"]
    name = given.get("name", there["name"])
    if isinstance(meta, dict) and not given.get("name") and new:
        told = f"the name of the object ({there['name']} based on URL) was undeterminable: name must be provided"
        raise bad_request(told)
    if name != there["name"]:
        raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({there['name']})")
    if given.get("namespace", there.get("namespace", "")) not in {there.get("namespace", ""), ""}:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if new and given.get("uid"):
        told = f"uid mismatch: the provided object specified uid {given['uid']}, and no existing object was found"
        raise conflict(kind, name, told)
    if not new and given.get("resourceVersion") not in {None, "", there.get("resourceVersion")}:
        told = "the object has been modified; please apply your changes to the latest version and try again"
        raise conflict(kind, name, told)


def _writable(kind: Kind, patch: Object, subresource: str) -> Object:
    """The part of the patch that counts: the status is not written with the rest, nor the rest with it."""
    if subresource:
        return {key: value for key, value in patch.items() if key in {"apiVersion", "kind", subresource}}
    left = {"status"} if "status" in kind.subresources else set()
    left |= {"metadata"} if patch.get("metadata") is None else set()
    return {key: value for key, value in patch.items() if key not in left}


def _pruned(schema: Schema, after: Object, last: Fields, entries: Entries) -> Object:
    """Without what the manager applied the last time, does not apply now, and nobody else owns."""
    claimed = fields.with_parents(schema, frozenset().union(*(each.owned for each in entries.values())))
    gone = fields.with_parents(schema, last) - claimed - managers.SERVERS_OWN
    made: Object = fields.without(schema, after, gone, claimed)
    return made


def _no_conflict(others: Entries, changed: Fields) -> None:
    """Raise what the real server says of fields that others own.

    Raises:
        Refused: 409.
    """
    found: list[tuple[Manager, Path]] = []
    for each in sorted(others.values(), key=lambda entry: entry.manager.key()):
        found += [(each.manager, path) for path in fields.in_order(each.owned & changed)]
    if not found:
        return
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager.told()}", "field": fields.told(path)}
        for manager, path in found
    ]
    if len(found) == 1:
        manager, path = found[0]
        message = f"Apply failed with 1 conflict: conflict with {manager.told()}: {fields.told(path)}"
    else:
        lines: list[str] = []
        for manager in dict.fromkeys(manager for manager, _path in found):
            lines.append(f"conflicts with {manager.told()}:")
            lines += [f"- {fields.told(path)}" for owner, path in found if owner == manager]
        message = f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)
    raise Refused(409, "Conflict", message, {"causes": causes})


def _with_managers(held: Object, entries: Entries) -> Object:
    """The object with these managers; it is not changed itself."""
    meta = {key: value for key, value in held["metadata"].items() if key != "managedFields"}
    listed = managers.written(entries)
    return {**held, "metadata": {**meta, "managedFields": listed} if listed else meta}


def tracked(kind: Kind, before: Object | None, after: Object, name: str, *, now: str, subresource: str = "") -> Object:
    """The object after a create, an update or a patch by `name`, with its managers brought up to date.

    Managers that the writer changed by hand count; an object without any stays so.
    """
    given = after["metadata"].get("managedFields")
    entries = managers.read(after if before is None or given is not None else before)
    if before is not None and not entries:
        return _with_managers(after, {})
    schema = fields.root(kind)
    old = _blank(schema) if before is None else before
    compared = fields.compared(schema, old, _seen(kind, old, after, subresource))
    changed = compared.changed - managers.SERVERS_OWN
    own = Manager(name, UPDATE, kind.api_version, subresource)
    last = entries.get(own.key())
    kept = managers.without_others(entries, compared.changed | compared.removed)
    left = kept[own.key()].owned if own.key() in kept else frozenset()
    if changed or left:
        kept[own.key()] = Entry(own, left | changed, now if changed or last is None else last.time)
    return _with_managers(after, kept)


def _seen(kind: Kind, old: Object, after: Object, subresource: str) -> Object:
    """What of the new object is written at all."""
    if subresource:
        return {**old, subresource: after.get(subresource)} if subresource in after else old
    if "status" not in kind.subresources:
        return after
    made = {key: value for key, value in after.items() if key != "status"}
    return {**made, "status": old["status"]} if "status" in old else made


def _blank(schema: Schema) -> Any:
    """An object of this type in which nothing is set: what Go's types hold without being asked is there."""
    own = schemas.resolved(schema)
    made: dict[str, Any] = {}
    for name, inner in own.get("properties", {}).items():
        if inner.get("default") == {} and schemas.referred(inner) not in typed.SCALARS:
            made[name] = copy.deepcopy(_blank(inner))
        elif name in own.get("required", ()) and schemas.resolved(inner).get("type") in {"array", "object"}:
            made[name] = None
    return made
