"""Strategic merge patches, compared with what a real server made of the same."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.patches import STRATEGIC_PATCH, patched
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.shapes import admit_shape
from kubectl_ray.sandbox.api.strategic import go_map
from tests.unit.sandbox.api.recorded import answers, tried, without_defaults

RECORDED = answers("strategic")
LATER = ("may not specify more than 1 volume type", "may not be specified when strategy")
"""Refusals that come from the object that a patch makes, not from the patch."""
OTHER_WORDS = ("cannot restore slice from string", "cannot restore struct from: int64")
"""What the real server says of a field of the wrong type here; the sandbox says what it says of other patches."""


def kind_of(path: str) -> kinds.Kind:
    """The kind that is served there."""
    _, root, *rest = path.split("/")
    group, version = ("", rest[0]) if root == "api" else (rest[0], rest[1])
    kind = kinds.by_path(group, version, rest[-2])
    assert kind is not None
    return kind


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: json.dumps(case["patch"])[:60])
def test_as_the_real_server(case: dict[str, Any]) -> None:
    """Lists are merged, ordered, cut and replaced as the real server does it; refusals have its words."""
    kind, before = kind_of(case["path"]), RECORDED["objects"][case["path"]]

    def patch() -> dict[str, Any]:
        done = patched(kind, before, STRATEGIC_PATCH, json.dumps(case["patch"]).encode())
        return admit_shape(kind, done.object, patch=done.shown)[0]

    made, refused = tried(patch, Refused)
    if made is None:
        assert refused.code == case["code"]
        if not case["answer"]["message"].endswith(OTHER_WORDS):
            assert refused.status == case["answer"]
        return
    if case["code"] != 200:
        assert any(words in case["answer"]["message"] for words in LATER)
        return
    made["metadata"].pop("resourceVersion", None)
    if case["patch"].get("$patch") == "replace":
        made["metadata"] = case["answer"]["metadata"]  # the server keeps what it gave itself
    if "stringData" in made:
        made.pop("stringData")
        case["answer"]["data"].pop("q")  # the server turns stringData into data
    assert without_defaults(made) == without_defaults(case["answer"])


NAMES = st.sampled_from(["a", "c", "x"])
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES}, optional={"image": NAMES, "$patch": st.sampled_from(["delete", "replace", "z"])}
    ),
    max_size=3,
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "containers": ENTRIES | st.none() | st.just(5),
        "$setElementOrder/containers": ENTRIES | st.just(5),
        "$retainKeys": st.lists(NAMES | st.just("containers")) | st.just(1),
        "$patch": st.sampled_from(["replace", "delete", "merge", 5]),
        "nodeSelector": st.dictionaries(NAMES, NAMES | st.none()) | st.just([1]),
        "tolerations": st.lists(st.none() | st.dictionaries(NAMES, NAMES)),
        "$deleteFromPrimitiveList/x": st.none() | st.lists(NAMES),
    },
)


@given(SPECS)
def test_any_directives(spec: dict[str, Any]) -> None:
    """Any mixture of directives gives an object or a refusal, and leaves the object as it was."""
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "a"}]}}
    before = copy.deepcopy(pod)
    text = json.dumps({"spec": spec}).encode()
    done, wrong = tried(lambda: patched(kinds.PODS, pod, STRATEGIC_PATCH, text), Refused)
    assert (wrong and wrong.message) or (done and json.dumps(done.object))
    assert pod == before


def test_go_map() -> None:
    """Values in messages look as Go prints them."""
    assert go_map({"b": [1, None, True], "a": {"c": "d"}}) == "map[a:map[c:d] b:[1 <nil> true]]"
