"""Sets of fields: which an object has, in which two objects differ, and how they are written into `managedFields`.

A field is a path of elements as FieldsV1 writes them: `f:spec`, `k:{"name":"a"}` for an entry of a list that stands for
a map, `v:"x"` for one of a set. Source: sigs.k8s.io/structured-merge-diff v6 (typed, fieldpath).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_ray.sandbox.api import schemas, typed
from kubectl_ray.sandbox.api.patches import same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.schemas import Schema

Path = tuple[str, ...]
Fields = frozenset[Path]

ABSENT: Any = object()
ANYTHING: Schema = {}
"""The schema of what no schema describes: maps are merged, lists replaced."""


class Compared(NamedTuple):
    """The fields that came, went and changed."""

    added: Fields
    removed: Fields
    modified: Fields

    @property
    def changed(self) -> Fields:
        """What the new object says otherwise than the old one."""
        return self.added | self.modified


def root(kind: Kind) -> Schema:
    """The schema of whole objects of a kind."""
    name = schemas.type_name(kind.api_version, kind.name)
    custom = schemas.custom(kind)
    if custom is None:
        return schemas.types()[name] if name else ANYTHING
    meta = {"$ref": schemas.REF + typed.META + "ObjectMeta"}
    return {**custom, "properties": {**custom["properties"], "metadata": meta}}


def form(schema: Schema) -> tuple[str, tuple[str, ...]]:
    """How a value is owned: as a "leaf", a "map", a "set", or a "list" of entries with these keys."""
    own = schemas.resolved(schema)
    if schemas.referred(schema) in typed.SCALARS:
        return "leaf", ()
    sort = own.get("type")
    if sort == "array":
        return _list_form(schema)
    if sort == "object":
        atomic = "atomic" in {schema.get("x-kubernetes-map-type"), own.get("x-kubernetes-map-type")}
        return ("leaf" if atomic else "map"), ()
    return ("leaf" if sort or "format" in own or "x-kubernetes-int-or-string" in own else "any"), ()


def _list_form(schema: Schema) -> tuple[str, tuple[str, ...]]:
    sort = schema.get("x-kubernetes-list-type")
    if sort == "map":
        return "list", tuple(schema.get("x-kubernetes-list-map-keys", ()))
    if sort is None and "merge" in schema.get("x-kubernetes-patch-strategy", "").split(","):
        key = schema.get("x-kubernetes-patch-merge-key")
        return ("list", (key,)) if key else ("set", ())
    return ("set" if sort == "set" else "leaf"), ()


def form_of(schema: Schema, value: Any) -> tuple[str, tuple[str, ...]]:
    """The same for a value: a value that is no map or list as its schema says is a leaf."""
    how, keys = form(schema)
    if how in {"map", "any"}:
        return ("map" if isinstance(value, dict) or (value is None and how == "map") else "leaf"), ()
    if how in {"list", "set"} and not isinstance(value, list | None):
        return "leaf", ()
    return how, keys


def member(schema: Schema, name: str) -> Schema:
    """The schema of a map's member."""
    own = schemas.resolved(schema)
    found = own.get("properties", {}).get(name) or own.get("additionalProperties")
    return found if isinstance(found, dict) else ANYTHING


def declared(schema: Schema, name: str) -> bool:
    """The type has a field of this name (a map's free member is none)."""
    return name in schemas.resolved(schema).get("properties", {})


def below(schema: Schema, element: str) -> Schema:
    """The schema of what an element of a path leads to."""
    if element.startswith("f:"):
        return member(schema, element[2:])
    items = schemas.resolved(schema).get("items")
    return items if isinstance(items, dict) else ANYTHING


def element(schema: Schema, keys: tuple[str, ...], entry: Any) -> str:
    """The element of a path that means this entry of a list."""
    if not keys:
        return "v:" + json.dumps(entry, separators=(",", ":"), sort_keys=True)
    known = schemas.resolved(schemas.resolved(schema).get("items", ANYTHING)).get("properties", {})
    found = {key: entry.get(key, known.get(key, {}).get("default")) for key in keys}
    told = {key: value for key, value in sorted(found.items()) if value is not None}
    return "k:" + json.dumps(told, separators=(",", ":"))


def entries(schema: Schema, keys: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The entries of a list by their elements, in order."""
    listed = value if isinstance(value, list) else []
    return {element(schema, keys, each): each for each in listed if not keys or isinstance(each, dict)}


def children(schema: Schema, value: Any) -> dict[str, tuple[Schema, Any]] | None:
    """What is in a value, by the elements that lead there; None where it is a leaf."""
    how, keys = form_of(schema, value)
    if how == "leaf":
        return None
    if how == "map":
        return {f"f:{key}": (member(schema, key), each) for key, each in (value or {}).items()}
    items = schemas.resolved(schema)["items"]
    return {mark: (items, each) for mark, each in entries(schema, keys, value).items()}


def owned(schema: Schema, value: Any) -> Fields:
    """The fields that who applies this value owns."""
    return frozenset(_owned(schema, value, ()))


def _owned(schema: Schema, value: Any, path: Path) -> Iterator[Path]:
    inside = children(schema, value)
    if inside is None:
        yield path
        return
    for mark, (inner, each) in inside.items():
        here = (*path, mark)
        yield from _owned(inner, each, here)
        if not mark.startswith("f:") or each is None or each == {} or not declared(schema, mark[2:]):
            yield here


def compared(schema: Schema, old: Any, new: Any) -> Compared:
    """What differs between two values."""
    added: set[Path] = set()
    removed: set[Path] = set()
    modified: set[Path] = set()

    def walk(schema: Schema, old: Any, new: Any, path: Path) -> None:
        forms = [children(schema, each) for each in (old, new) if each is not ABSENT]
        one, other = forms[0], forms[-1]
        empty = not any(each not in (None, [], {}) for each in (old, new) if each is not ABSENT)
        if one is None or other is None or empty:
            if old is ABSENT:
                added.add(path)
            elif new is ABSENT:
                removed.add(path)
            elif not same(old, new):
                modified.add(path)
            return
        before, after = ({} if old is ABSENT else one), ({} if new is ABSENT else other)
        for mark in {**before, **after}:
            inner = (before.get(mark) or after[mark])[0]
            walk(inner, before.get(mark, (None, ABSENT))[1], after.get(mark, (None, ABSENT))[1], (*path, mark))
        if old is ABSENT:
            added.add(path)
        elif new is ABSENT:
            removed.add(path)

    walk(schema, old, new, ())
    return Compared(frozenset(added), frozenset(removed), frozenset(modified))


def merged(schema: Schema, old: Any, new: Any) -> Any:
    """The new value laid over the old one: what the new one does not speak of stays."""
    one, other = children(schema, old), children(schema, new)
    if one is None or other is None or new is None:
        return new
    if form_of(schema, new)[0] == "map":
        made = dict(old or {})
        for mark, (inner, each) in other.items():
            key = mark[2:]
            made[key] = merged(inner, made[key], each) if key in made else each
        return made
    return _merged_list(one, other)


def _merged_list(old: dict[str, tuple[Schema, Any]], new: dict[str, tuple[Schema, Any]]) -> list[Any]:
    """Entries in the new list's order; those that only the old one has keep their place among its entries."""
    made: list[Any] = []
    left, right = list(old), list(new)
    while left or right:
        if left and left[0] not in new:
            made.append(old[left.pop(0)][1])
        elif right:
            mark = right.pop(0)
            inner, each = new[mark]
            made.append(merged(inner, old[mark][1], each) if mark in old else each)
            if left and left[0] == mark:
                left.pop(0)
            elif mark in left:
                left.remove(mark)
        else:
            left.pop(0)
    return made


def without(schema: Schema, value: Any, gone: Fields, claimed: Fields, path: Path = ()) -> Any:
    """The value without these fields; what becomes empty by that is gone too (None) unless it is claimed itself."""
    inside = children(schema, value)
    if not inside:
        return value
    kept = {
        mark: without(inner, each, gone, claimed, (*path, mark))
        for mark, (inner, each) in inside.items()
        if (*path, mark) not in gone
    }
    kept = {mark: each for mark, each in kept.items() if each is not None or inside[mark][1] is None}
    if not kept and path not in claimed:
        return None
    if form_of(schema, value)[0] == "map":
        return {mark[2:]: each for mark, each in kept.items()}
    return list(kept.values())


def with_parents(schema: Schema, some: Fields) -> Fields:
    """These fields and the declared fields on the way to them."""
    made = set(some)
    for path in some:
        inner = schema
        for index, mark in enumerate(path):
            if mark.startswith("f:") and declared(inner, mark[2:]):
                made.add(path[: index + 1])
            inner = below(inner, mark)
    return frozenset(made)


def in_order(some: Fields) -> list[Path]:
    """As messages list them: of each part first what is owned itself, then what is inside."""
    names: dict[str, set[Path]] = {}
    for path in some:
        names.setdefault(path[0], set()).add(path[1:])
    made: list[Path] = [(name,) for name in sorted(names) if () in names[name]]
    for name in sorted(names):
        made += [(name, *path) for path in in_order(frozenset(names[name] - {()}))]
    return made


def encoded(some: Fields) -> dict[str, Any]:
    """As `fieldsV1` has them."""
    made: dict[str, Any] = {}
    for path in sorted(some):
        inside = made
        for mark in path:
            inside = inside.setdefault(mark, {})
        inside["."] = {}
    return _tidy(made)


def _tidy(made: dict[str, Any]) -> dict[str, Any]:
    """Leaves do not say `.`: an empty object says it."""
    return {mark: {} if each.keys() == {"."} else _tidy(each) for mark, each in made.items()} if made else {}


def decoded(fields: Any) -> Fields:
    """What `fieldsV1` means; what is no such thing means nothing."""
    made: set[Path] = set()

    def walk(inside: Any, path: Path) -> None:
        if not isinstance(inside, dict):
            return
        if path and (not inside or "." in inside):
            made.add(path)
        for mark, each in inside.items():
            if mark != ".":
                walk(each, (*path, str(mark)))

    walk(fields, ())
    return frozenset(made)


def told(path: Path) -> str:
    """A path as messages show it: `.spec.containers[name="x"].image`."""
    return "".join(_told(mark) for mark in path)


def _told(mark: str) -> str:
    sort, text = mark[:2], mark[2:]
    if sort == "f:":
        return f".{text}"
    if sort == "v:":
        return f"[={text}]"
    keys = json.loads(text)
    return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in keys.items()) + "]"
