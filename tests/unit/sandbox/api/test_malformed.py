"""Whatever is written into an object, it is taken or refused; nothing else comes of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_ray.sandbox.api import default_roles, kinds, shapes
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.store import Store
from tests.unit.sandbox.api.recorded import answers

Object = dict[str, Any]

BODIES = [
    (kind, step["body"])
    for step in answers("objects")
    for kind in kinds.KINDS
    if (step["do"], step["api"], step["plural"]) == ("create", kind.api_version, kind.plural)
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.sampled_from(
        ["", "a", "None", "1Gi", "-1", "x/y", "Ünïcode", "a" * 300, "{}", 0.5, [], {}, [{}], [None], {"a": None}]
    ),
    st.text(max_size=5),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Ways to everything inside."""
    found = [path] if path else []
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        found += places(each, (*path, key))
    return found


@st.composite
def mutants(draw: st.DrawFn) -> tuple[kinds.Kind, Object]:
    """A body that was once sent, with some values replaced by others."""
    kind, body = draw(st.sampled_from(BODIES))
    body = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 3))):
        ways = places(body)
        if not ways:
            break
        *way, last = draw(st.sampled_from(ways))
        held = body
        for key in way:
            held = held[key]
        held[last] = copy.deepcopy(draw(VALUES))
    return kind, body


def cluster() -> Objects:
    """The namespace lab with what a namespace has, a quota and a range."""
    objects = Objects(Store())
    objects.create(kinds.NAMESPACES, {"metadata": {"name": "lab"}})
    default_roles.seed(objects)
    objects.create(kinds.SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}, "lab")
    hard = {"pods": "3", "requests.cpu": "9", "requests.storage": "9Gi", "services.nodeports": "5"}
    objects.create(kinds.RESOURCE_QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": hard}}, "lab")
    limit = {"type": "Container", "max": {"cpu": "2"}, "defaultRequest": {"cpu": "1"}}
    objects.create(kinds.LIMIT_RANGES, {"metadata": {"name": "l"}, "spec": {"limits": [limit]}}, "lab")
    return objects


def write(objects: Objects, kind: kinds.Kind, body: Object, name: str = "") -> Object | int:
    """What is kept of a body, as a new object or in place of an old one; the code that it is refused with."""
    namespace = "lab" if kind.namespaced else ""
    try:
        if not name:
            admitted, _warnings = shapes.admit_shape(kind, body, strict="Ignore")
            return objects.create(kind, admitted, namespace)
        before = objects.get(kind, namespace, name)
        admitted, _warnings = shapes.admit_shape(kind, body, strict="Ignore", old=before)

        def replace(held: Object) -> None:
            held.clear()
            held.update(copy.deepcopy(admitted))

        return objects.edit(kind, namespace, name, replace)
    except Refused as refused:
        return refused.code


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(mutants(), mutants(), st.sampled_from(["Background", "Foreground", "Orphan", ""]))
def test_any_body_is_taken_or_refused(
    first: tuple[kinds.Kind, Object], second: tuple[kinds.Kind, Object], policy: str
) -> None:
    """Made, replaced by another one, and deleted: each time an object, or a code with which it is refused."""
    objects = cluster()
    kind, body = first
    made = write(objects, kind, body)
    if isinstance(made, int):
        assert made in {400, 403, 409, 422, 500}
        return
    name = made["metadata"]["name"]
    if second[0] is kind:
        changed = write(objects, kind, second[1], name)
        assert isinstance(changed, dict) or changed in {400, 422}
    held = objects.get(kind, "lab", name)
    objects.delete(kind, "lab", name, propagation=policy, uid=held["metadata"]["uid"])


@pytest.mark.parametrize("kind", [each for each in kinds.KINDS if "create" in each.verbs])
def test_a_body_with_a_name_only(kind: kinds.Kind) -> None:
    """Each kind takes or refuses the least that can be sent."""
    made = write(cluster(), kind, {"metadata": {"name": "a"}})
    assert made in {400, 403, 422} if isinstance(made, int) else made["metadata"]["name"] == "a"
