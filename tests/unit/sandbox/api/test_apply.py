"""Server-side apply and the managers of fields, compared with what a real server did with the same writes."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.api import fields, kinds, managers
from kubectl_ray.sandbox.api.apply import applied, read_patch, tracked
from kubectl_ray.sandbox.api.last_applied import ANNOTATION
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.patches import APPLY_PATCH, patched
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.shapes import admit_shape
from kubectl_ray.sandbox.api.store import Store
from tests.unit.sandbox.api.recorded import answers, tried, without_defaults

NOW = "2026-11-24T00:00:00Z"
SERVER_FILLS_IN = ("u1", "kc")
"""Writers to whom the real server counts fields that it fills in itself, or which come with the one that they set."""


def done(case: dict[str, Any]) -> dict[str, Any]:
    """What the sandbox makes of a recorded write."""
    path, _, query = case["path"].partition("?")
    asked = dict(parse_qsl(query))
    subresource = "status" if path.endswith("/status") else ""
    _, root, *rest = path.removesuffix("/status").split("/")
    create = case["method"] == "POST"
    group, version = ("", rest[0]) if root == "api" else (rest[0], rest[1])
    kind = kinds.by_path(group, version, rest[-1] if create else rest[-2])
    assert kind is not None
    before, name, text = case["before"], asked["fieldManager"], json.dumps(case["body"]).encode()
    if create:
        made, _warnings = admit_shape(kind, case["body"])
        return tracked(kind, None, made, name, now=NOW)
    if case["type"] == APPLY_PATCH:
        made = applied(
            kind,
            before,
            read_patch(kind, text),
            name,
            now=NOW,
            force="force" in asked,
            subresource=subresource,
            namespace="o2",
            object_name=rest[-1],
        )
        return admit_shape(kind, made, old=before, status=bool(subresource))[0]
    made = patched(kind, before, case["type"], text).object
    made, _warnings = admit_shape(kind, made, old=before, status=bool(subresource))
    return tracked(kind, before, made, name, now=NOW, subresource=subresource)


@pytest.mark.parametrize(
    "case", answers("apply"), ids=lambda case: f"{case['path'].rpartition('/')[2]} {json.dumps(case['body'])[-60:]}"
)
def test_as_the_real_server(case: dict[str, Any]) -> None:
    """Who owns what after each write, what is pruned, and who is in whose way."""
    made, refused = tried(lambda: done(case), Refused)
    if made is None:
        assert refused.status == case["status"]
        return
    assert case["code"] in {200, 201}
    if any(f"fieldManager={name}" in case["path"] for name in SERVER_FILLS_IN):
        return
    listed = [
        {key: value for key, value in each.items() if key != "time"}
        for each in made["metadata"].get("managedFields", [])
    ]
    assert sorted(listed, key=json.dumps) == sorted(
        (dict(zip(each, each.values(), strict=True)) for each in _like(listed, case["managers"])), key=json.dumps
    )
    if case["path"].startswith("/api/v1/namespaces/o2/services"):
        return  # the real server fills in a service
    left = {"metadata"} if "/status" in case["path"] else {"metadata", "status"}
    body = {key: value for key, value in made.items() if key not in left}
    real = {key: value for key, value in case["after"].items() if key != "metadata"}
    assert without_defaults(body) == without_defaults(real)
    for key in ("labels", "annotations", "finalizers", "ownerReferences"):
        assert made["metadata"].get(key) == case["after"]["metadata"].get(key)


def _like(own: list[dict[str, Any]], real: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The real entries; where one equals an own one, in that one's order of keys."""
    return [next((mine for mine in own if mine == each), each) for each in real]


RAY_PATCH = {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "dry"}}
MISFITS = [
    (kinds.CONFIG_MAPS, {"data": {"a": True}}, ".data.a: expected string, got &value.valueUnstructured{Value:true}"),
    (
        kinds.CONFIG_MAPS,
        {"data": {"a": {}}},
        ".data.a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{}}",
    ),
    (kinds.CONFIG_MAPS, {"data": 5}, ".data: expected map, got &{5}"),
    (kinds.CONFIG_MAPS, {"immutable": 1}, ".immutable: expected boolean, got &{1}"),
    (kinds.CONFIG_MAPS, {"bog": 1, "bog2": 1}, ".bog: field not declared in schema"),
    (
        kinds.PODS,
        {"spec": {"containers": [{"name": "x", "ports": [{"containerPort": "80"}]}]}},
        (
            '.spec.containers[name="x"].ports[containerPort="80",protocol="TCP"].containerPort: '
            "expected numeric (int or float), got string"
        ),
    ),
    (
        kinds.PODS,
        {"spec": {"containers": [5]}},
        ".spec.containers: element 0: associative list with keys may not have non-map elements",
    ),
    (kinds.PODS, {"spec": {"containers": {"a": 1}}}, ".spec.containers: expected list, got &{map[a:1]}"),
    (
        kinds.PODS,
        {"spec": {"containers": [{"name": "x"}, {"name": "x"}]}},
        '.spec.containers: duplicate entries for key [name="x"]',
    ),
    (
        kinds.PODS,
        {"metadata": {"name": "zz", "finalizers": ["a", "a"]}},
        '.metadata.finalizers: duplicate entries for key [="a"]',
    ),
    (
        kinds.RAY_CLUSTERS,
        {"spec": {"hedGroup": 1, "workerGroupSpecs": 5}},
        ".spec.hedGroup: field not declared in schema",
    ),
    (
        kinds.RAY_CLUSTERS,
        {"spec": {"suspend": "x", "rayVersion": 5}},
        (
            "errors:\n  .spec.rayVersion: expected string, got &value.valueUnstructured{Value:5}\n"
            "  .spec.suspend: expected boolean, got &{x}"
        ),
    ),
    (kinds.RAY_CLUSTERS, {"spec": {"workerGroupSpecs": [5]}}, ".spec.workerGroupSpecs[0]: expected map, got &{5}"),
]


@pytest.mark.parametrize(("kind", "body", "said"), MISFITS)
def test_misfits(kind: kinds.Kind, body: dict[str, Any], said: str) -> None:
    """What does not fit the type is a 500 with the real words, whatever the validation asked for."""
    whole = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": "zz"}, **body}
    with pytest.raises(Refused) as caught:
        read_patch(kind, json.dumps(whole).encode())
    group = kind.api_version if kind.group else f"/{kind.api_version}"
    assert (caught.value.code, caught.value.reason) == (500, "")
    assert caught.value.message == f"failed to create typed patch object (/zz; {group}, Kind={kind.name}): {said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[]",
            (
                "error decoding YAML: error unmarshaling JSON: while decoding JSON: "
                "json: cannot unmarshal array into Go value of type map[string]interface {}"
            ),
        ),
        ("{}", "invalid object type: /, Kind="),
        ("apiVersion: v1\nkind: Pod", "invalid object type: /v1, Kind=Pod"),
        (json.dumps({**RAY_PATCH, "metadata": {"managedFields": []}}), "metadata.managedFields must be nil"),
    ],
)
def test_unreadable(text: str, said: str) -> None:
    """What is no patch of this kind is a 400."""
    with pytest.raises(Refused) as caught:
        read_patch(kinds.RAY_CLUSTERS, text.encode())
    assert (caught.value.code, caught.value.message) == (400, said)


def test_twice_is_once() -> None:
    """The same again changes nothing, its time included."""
    patch = {**RAY_PATCH, "spec": {"suspend": True}}
    first = applied(kinds.RAY_CLUSTERS, None, patch, "a", now=NOW, namespace="n", object_name="dry")
    assert applied(kinds.RAY_CLUSTERS, first, patch, "a", now="2030-01-01T00:00:00Z") == first


@pytest.mark.parametrize(
    ("meta", "code", "said"),
    [
        ({"name": "y"}, 400, "the name of the object (y) does not match the name on the URL (dry)"),
        ({"name": "dry", "namespace": "y"}, 400, "the namespace of the provided object does not match"),
        ({"name": "dry", "resourceVersion": "1"}, 409, "the object has been modified"),
    ],
)
def test_another_object(meta: dict[str, Any], code: int, said: str) -> None:
    """A patch that is about another object, or another version of it, is refused."""
    live = {**RAY_PATCH, "metadata": {"name": "dry", "namespace": "n", "resourceVersion": "2"}}
    with pytest.raises(Refused) as caught:
        applied(kinds.RAY_CLUSTERS, live, {**RAY_PATCH, "metadata": meta}, "a", now=NOW)
    assert caught.value.code == code
    assert said in caught.value.message


def test_uid_of_a_new_object() -> None:
    """An object that is not there has no uid."""
    patch = {**RAY_PATCH, "metadata": {"name": "dry", "uid": "5"}}
    with pytest.raises(Refused, match="uid mismatch") as caught:
        applied(kinds.RAY_CLUSTERS, None, patch, "a", now=NOW, object_name="dry")
    assert caught.value.code == 409


def test_managers_taken_away_by_hand() -> None:
    """Who empties the list of managers has it empty; later updates do not bring it back."""
    before = tracked(kinds.CONFIG_MAPS, None, {"metadata": {"name": "c"}, "data": {"a": "b"}}, "m", now=NOW)
    emptied = tracked(
        kinds.CONFIG_MAPS, before, {**before, "metadata": {"name": "c", "managedFields": [{}]}}, "m", now=NOW
    )
    assert "managedFields" not in emptied["metadata"]
    later = tracked(kinds.CONFIG_MAPS, emptied, {**emptied, "data": {"a": "c"}}, "m", now=NOW)
    assert "managedFields" not in later["metadata"]


def test_who_wrote_a_status_is_kept() -> None:
    """A write of the status keeps the status and who wrote it, and nothing else."""
    objects = Objects(Store())
    objects.create(kinds.NAMESPACES, {"metadata": {"name": "n"}})
    spec = {"headGroupSpec": {"template": {"spec": {"containers": [{"name": "h", "image": "i"}]}}}}
    held = objects.create(kinds.RAY_CLUSTERS, {**RAY_PATCH, "spec": spec}, "n")
    patch = {**RAY_PATCH, "status": {"state": "ready"}}
    wanted = applied(kinds.RAY_CLUSTERS, held, patch, "a", now=NOW, subresource="status")
    made = objects.edit(kinds.RAY_CLUSTERS, "n", "dry", lambda body: body.update(wanted), status=True)
    assert made["status"] == {"state": "ready"}
    assert {each.manager.told() for each in managers.read(made).values()} == {
        '"a" with subresource "status"',
        '"before-first-apply" using ray.io/v1',
    }


def test_kubectl_takes_over_from_itself() -> None:
    """What kubectl applied from the client's side is not in its own way; the note of it follows."""
    note = json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1", "b": "1"}}
    )
    meta = {"name": "c", "annotations": {ANNOTATION: note}}
    live = tracked(kinds.CONFIG_MAPS, None, {"metadata": meta, "data": {"a": "1", "b": "1"}}, "client-side", now=NOW)
    live = tracked(kinds.CONFIG_MAPS, live, {**live, "data": {"a": "1", "b": "other"}}, "else", now=NOW)
    patch = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "<2>"}}
    made = applied(kinds.CONFIG_MAPS, live, patch, "kubectl", now=NOW)
    assert made["data"] == {"a": "<2>", "b": "other"}
    assert made["metadata"]["annotations"][ANNOTATION] == (
        '{"apiVersion":"v1","data":{"a":"\\u003c2\\u003e"},"kind":"ConfigMap","metadata":{"name":"c"}}\n'
    )
    for name, data, conflicts in (("kubectl", {"b": "2"}, "else"), ("another", {"a": "2"}, "client-side")):
        with pytest.raises(Refused, match=f'conflict with "{conflicts}" using v1'):
            applied(kinds.CONFIG_MAPS, live, {**patch, "data": data}, name, now=NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "containers", "env", "metadata", "finalizers", "spec"]), inner)
    ),
    max_leaves=10,
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "containers": st.lists(
            st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional={"image": st.sampled_from("xy")}),
            min_size=1,
            max_size=3,
            unique_by=lambda each: each["name"],
        ),
        "nodeSelector": st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy")),
        "hostNetwork": st.booleans(),
    },
)


@given(JSON, JSON)
def test_any_patch(spec: Any, meta: Any) -> None:
    """Any patch is applied or refused."""
    body = {"apiVersion": "v1", "kind": "Pod", "spec": spec, "metadata": meta}
    patch, refused = tried(lambda: read_patch(kinds.PODS, json.dumps(body).encode()), Refused)
    if patch is None:
        assert refused.message
        return
    made, refused = tried(lambda: applied(kinds.PODS, None, patch, "a", now=NOW, object_name="a"), Refused)
    assert refused or json.dumps(made)


@given(SPECS, SPECS, SPECS)
def test_what_is_applied_is_there(one: dict[str, Any], other: dict[str, Any], again: dict[str, Any]) -> None:
    """With force, what was applied last is there; what a manager does not apply any more and nobody else, is not."""

    def put(live: dict[str, Any] | None, spec: dict[str, Any], name: str) -> dict[str, Any]:
        patch = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": copy.deepcopy(spec)}
        return applied(kinds.PODS, live, patch, name, now=NOW, force=True, object_name="p")

    live = put(put(None, one, "a"), other, "b")
    live = put(live, again, "a")
    schema = fields.root(kinds.PODS)
    wanted = {"spec": again}
    assert fields.compared(schema, fields.merged(schema, live, wanted), live) == fields.Compared(
        frozenset(), frozenset(), frozenset()
    )
    left = fields.owned(schema, {"spec": live.get("spec") or {}})
    named = fields.owned(schema, {"spec": other}) | fields.owned(schema, wanted)
    assert {path for path in left if path[-1] != "f:spec"} <= fields.with_parents(schema, named)


@given(
    st.frozensets(
        st.lists(st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"']), min_size=1, max_size=4).map(tuple)
    )
)
def test_written_and_read(some: frozenset[tuple[str, ...]]) -> None:
    """FieldsV1 says what was written into it."""
    assert fields.decoded(fields.encoded(some)) == some
    assert set(fields.in_order(some)) == some


@given(JSON)
def test_any_managed_fields(listed: Any) -> None:
    """Whatever stands in managedFields is read, and what is read is written."""
    entries = managers.read({"metadata": {"managedFields": listed}})
    assert managers.read({"metadata": {"managedFields": managers.written(entries)}}) == entries
