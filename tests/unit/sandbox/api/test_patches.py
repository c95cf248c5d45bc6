"""Patches do what the real server's do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.patches import (
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    json_patch,
    merge_patch,
    patched,
    same,
)
from kubectl_ray.sandbox.api.refusals import Refused
from tests.unit.sandbox.api.recorded import tried

NAMED = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n", "resourceVersion": "7"}}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b/c", "~"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "~/", "0"]), inner),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["a", "b", "c", "d/e", "~"]), VALUES)
POINTERS = st.lists(st.sampled_from(["a", "b", "0", "1", "-1", "-", "d~1e", "~0", "x", ""]), max_size=4).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "test", "move", "copy", "nope"]), "path": POINTERS},
    optional={"value": VALUES, "from": POINTERS},
)


def refusal(content_type: str, text: str | bytes, kind: kinds.Kind = kinds.CONFIG_MAPS) -> Refused:
    """What the patch of a named object is refused with."""
    with pytest.raises(Refused) as caught:
        patched(kind, {**NAMED, "apiVersion": kind.api_version, "kind": kind.name}, content_type, _bytes(text))
    return caught.value


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize(
    ("operations", "made"),
    [
        ([{"op": "replace", "path": "/q", "value": 1}], {"a": [1, 2], "b": {"c": 1}, "q": 1}),
        ([{"op": "add", "path": "/a/-", "value": 3}], {"a": [1, 2, 3], "b": {"c": 1}}),
        ([{"op": "add", "path": "/a/-1", "value": 3}], {"a": [1, 2, 3], "b": {"c": 1}}),
        ([{"op": "add", "path": "/a/0", "value": 3}], {"a": [3, 1, 2], "b": {"c": 1}}),
        ([{"op": "remove", "path": "/a/-1"}], {"a": [1], "b": {"c": 1}}),
        ([{"op": "move", "from": "/b", "path": "/d"}], {"a": [1, 2], "d": {"c": 1}}),
        ([{"op": "copy", "from": "/b/c", "path": "/e"}], {"a": [1, 2], "b": {"c": 1}, "e": 1}),
        ([{"op": "test", "path": "/zz", "value": None}], {"a": [1, 2], "b": {"c": 1}}),
        ([{"op": "test", "path": "/zz"}], {"a": [1, 2], "b": {"c": 1}}),
        ([{"op": "add", "path": "/b/x~1y~0"}], {"a": [1, 2], "b": {"c": 1, "x/y~": None}}),
        ([{"op": "add", "path": "q/b", "value": 1}], {"a": [1, 2], "b": 1}),
        ([{"op": "replace", "path": "", "value": {}}], {}),
    ],
)
def test_json_patch_done(operations: list[dict[str, Any]], made: dict[str, Any]) -> None:
    """RFC 6902 with the liberties that the real server takes."""
    assert json_patch({"a": [1, 2], "b": {"c": 1}}, operations) == made


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add"},
        {"op": "nope", "path": "/a"},
        {"op": "replace", "path": "/nope/q", "value": 1},
        {"op": "add", "path": "/a/9", "value": 1},
        {"op": "replace", "path": "/a/-", "value": 1},
        {"op": "test", "path": "/a/7", "value": None},
        {"op": "test", "path": "/b/c", "value": True},
        {"op": "add", "path": "/b/c/d", "value": 1},
        {"op": "add", "path": "", "value": {}},
        {"op": "remove", "path": ""},
        {"op": "remove", "path": "/zz"},
        {"op": "move", "from": "/zz", "path": "/a"},
        {"op": "replace", "path": "", "value": 5},
    ],
)
def test_json_patch_refused(operation: dict[str, Any]) -> None:
    """An operation that does not fit is a bare 422."""
    with pytest.raises(Refused) as caught:
        json_patch({"a": [1, 2], "b": {"c": 1}}, [operation])
    assert (caught.value.code, caught.value.reason, caught.value.details) == (422, "Invalid", {})


@given(DOCUMENTS, st.lists(OPERATIONS, max_size=4))
def test_any_operations(document: dict[str, Any], operations: list[dict[str, Any]]) -> None:
    """Any operations give a document or a bare 422, and leave the document as it was."""
    before = json.dumps(document)
    made, wrong = tried(lambda: json_patch(document, operations), Refused)
    json.dumps(made)
    assert wrong is None or wrong.details == {}
    assert json.dumps(document) == before


@given(DOCUMENTS, st.sampled_from(["a", "b", "d/e"]), VALUES)
def test_added_is_there(document: dict[str, Any], key: str, value: Any) -> None:
    """What is added can be tested for and removed again."""
    path = "/" + key.replace("~", "~0").replace("/", "~1")
    added = json_patch(document, [{"op": "add", "path": path, "value": value}])
    assert same(added, {**document, key: value})
    rest = json_patch(added, [{"op": "test", "path": path, "value": value}, {"op": "remove", "path": path}])
    assert rest == {name: each for name, each in document.items() if name != key}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"op":"x"}', "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        ("[1]", "json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"),
        ('[{"op":1}]', "json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string"),
        ("nojson", "invalid character 'o' in literal null (expecting 'u')"),
    ],
)
def test_json_patch_unreadable(text: str, said: str) -> None:
    """What is no list of operations is a 400 that says why."""
    refused = refusal(JSON_PATCH, text)
    assert (refused.code, refused.message) == (400, f"error decoding patch: {said}")


def test_too_many_operations() -> None:
    """10,000 operations are the most."""
    refused = refusal(JSON_PATCH, json.dumps([{"op": "test", "path": "/x"}] * 10_001))
    assert (refused.code, refused.message) == (
        413,
        "The allowed maximum operations in a JSON patch is 10000, got 10001",
    )


@pytest.mark.parametrize(
    ("target", "patch", "made"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(target: Any, patch: Any, made: Any) -> None:
    """The examples of RFC 7386, appendix A."""
    assert merge_patch(target, patch) == made


@given(VALUES, VALUES)
def test_merge_patch_twice(target: Any, patch: Any) -> None:
    """A merge patch done twice is done once."""
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


def test_merge_patch_null() -> None:
    """Null is no merge patch."""
    assert refusal(MERGE_PATCH, "null").message == "Invalid JSON Patch"


@pytest.mark.parametrize("content_type", [MERGE_PATCH, STRATEGIC_PATCH])
def test_merge_patch_of_an_array(content_type: str) -> None:
    """An array is none either."""
    refused = refusal(content_type, "[]")
    assert refused.code == 400
    assert refused.message.endswith("json: cannot unmarshal array into Go value of type map[string]interface {}")


def test_strategic_patch_of_a_custom_kind() -> None:
    """Ray's kinds have no strategic merge patch: 415 with what they have."""
    refused = refusal(STRATEGIC_PATCH, "{}", kinds.RAY_CLUSTERS)
    assert refused.status["message"] == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    )
    assert (refused.code, refused.reason) == (415, "UnsupportedMediaType")


def test_stale_version() -> None:
    """A patch that names another resourceVersion is a conflict."""
    refused = refusal(JSON_PATCH, '[{"op":"replace","path":"/metadata/resourceVersion","value":"1"}]')
    assert (refused.code, refused.reason) == (409, "Conflict")


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"metadata": {"name": "x"}}, "the name of the object (x) does not match the name on the URL (c)"),
        (
            {"metadata": {"name": None}},
            "the name of the object (c based on URL) was undeterminable: name must be provided",
        ),
        (
            {"metadata": {"namespace": "x"}},
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
    ],
)
def test_another_object(patch: dict[str, Any], said: str) -> None:
    """A patch does not make another object of it."""
    refused = refusal(MERGE_PATCH, json.dumps(patch))
    assert (refused.code, refused.message) == (400, said)


def test_another_kind() -> None:
    """Nor one of another kind; the refusal shows the result."""
    refused = refusal(MERGE_PATCH, '{"kind":"x"}')
    assert refused.code == 422
    assert refused.message.startswith(' "" is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"v1\\",\\"kind\\":')
    assert refused.message.endswith('no kind "x" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"')


def test_unknown_members_are_told() -> None:
    """Members of an operation that mean nothing are warned of."""
    done = patched(kinds.CONFIG_MAPS, NAMED, JSON_PATCH, b'[{"op":"add","path":"/data","value":{},"extra":1}]')
    assert done.warnings == ('json patch unknown field "[0].extra"',)


@given(st.sampled_from([JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH]), st.binary() | VALUES.map(json.dumps))
def test_any_patch(content_type: str, text: bytes | str) -> None:
    """Any text as a patch gives an object or a refusal."""
    done, wrong = tried(lambda: patched(kinds.CONFIG_MAPS, NAMED, content_type, _bytes(text)), Refused)
    assert wrong or isinstance(done and done.object, dict)
