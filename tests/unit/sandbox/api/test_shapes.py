"""What is taken and what is refused, compared with what a real server answered to the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.api import kinds, schemas
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.shapes import admit_shape, read_body
from kubectl_ray.sandbox.api.structural import RULES
from tests.unit.sandbox.api.recorded import answers, tried

KINDS = {kind.plural: kind for kind in (*kinds.KINDS,) if kind is not kinds.NEW_EVENTS}
RAY = (kinds.RAY_CLUSTERS, kinds.RAY_JOBS, kinds.RAY_SERVICES)
CLUSTER: dict[str, Any] = {
    "apiVersion": "ray.io/v1",
    "kind": "RayCluster",
    "metadata": {"name": "c"},
    "spec": {"headGroupSpec": {"template": {"spec": {"containers": [{"name": "h", "image": "i"}]}}}},
}


def admitted(kind: kinds.Kind, text: str, **how: Any) -> tuple[dict[str, Any], list[str]]:
    """What becomes of a body."""
    body, duplicates = read_body(kind, text.encode())
    return admit_shape(kind, body, duplicates=duplicates, **how)


def sorted_causes(status: dict[str, Any]) -> dict[str, Any]:
    """A 422 whose causes are in one order: the real server gives them in any."""
    causes = sorted(status.get("details", {}).get("causes", []), key=lambda cause: (cause["field"], cause["message"]))
    message = status["message"] if len(causes) < 2 else "".join(sorted(status["message"]))
    return {**status, "message": message.strip(), "details": {**status.get("details", {}), "causes": causes}}


@pytest.mark.parametrize("case", answers("shapes"), ids=lambda case: f"{case['resource']} {case['body'][-70:]}")
def test_as_the_real_server(case: dict[str, Any]) -> None:
    """Strictly checked objects are refused in the real words, or taken with the same defaults."""
    kind = KINDS[case["resource"]]
    done, refused = tried(lambda: admitted(kind, case["body"], strict="Strict"), Refused)
    if done is None:
        status = case["status"]
        assert refused.code == case["code"]
        if status.get("details", {}).get("kind"):
            status["details"]["kind"] = kind.name  # the real one names the kind that the body claims to be
            status["message"] = status["message"].replace("RayJob.ray.io", f"{kind.name}.{kind.group}")
        assert sorted_causes(refused.status) == sorted_causes(status)
        return
    if case["code"] == 422:
        assert case["body"] == "null", "only what needs no fields is checked elsewhere"
        return
    assert case["code"] == 201
    assert done[0].get("spec") == case.get("spec", done[0].get("spec"))


def test_warnings() -> None:
    """By default unknown and duplicate fields are dropped and told, one text each."""
    body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","name":"y"},"x":1,"x":2,"data":{"a":"b"}}'
    made, warnings = admitted(kinds.CONFIG_MAPS, body)
    assert made == {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "y"}, "data": {"a": "b"}}
    assert warnings == ['duplicate field "metadata.name"', 'unknown field "x"']


def test_ignore() -> None:
    """With Ignore nothing is said."""
    made, warnings = admitted(kinds.RAY_CLUSTERS, json.dumps({**CLUSTER, "bogus": 1}), strict="Ignore")
    assert "bogus" not in made
    assert warnings == []


def test_update_of_an_immutable_field() -> None:
    """`managedBy` may not change."""
    old = {**CLUSTER, "spec": {**CLUSTER["spec"], "managedBy": "kueue.x-k8s.io/multikueue"}}
    new = {**CLUSTER, "spec": {**CLUSTER["spec"], "managedBy": "ray.io/kuberay-operator"}}
    assert admit_shape(kinds.RAY_CLUSTERS, old, old=old)[0]["spec"] == old["spec"]
    with pytest.raises(Refused) as caught:
        admit_shape(kinds.RAY_CLUSTERS, new, old=old)
    assert caught.value.message == (
        'RayCluster.ray.io "c" is invalid: spec.managedBy: Invalid value: "ray.io/kuberay-operator": '
        "the managedBy field is immutable"
    )


def test_status() -> None:
    """The status is checked when it is written, with paths inside it in the message."""
    wrong = {**CLUSTER, "status": {"state": 5}}
    admit_shape(kinds.RAY_CLUSTERS, wrong)
    with pytest.raises(Refused) as caught:
        admit_shape(kinds.RAY_CLUSTERS, wrong, status=True)
    assert caught.value.details is not None
    assert caught.value.details["causes"][0] == {
        "reason": "FieldValueTypeInvalid",
        "message": 'Invalid value: "integer": state in body must be of type string: "integer"',
        "field": "status.state",
    }


def test_result_of_a_patch() -> None:
    """What a patch made is refused as that patch's result."""
    with pytest.raises(Refused) as caught:
        admit_shape(kinds.CONFIG_MAPS, {"metadata": {"name": "c"}, "data": {"a": 5}}, patch='{"x":"y"}')
    assert caught.value.code == 422
    assert caught.value.message == (
        ' "" is invalid: patch: Invalid value: "{\\"x\\":\\"y\\"}": '
        "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"
    )


def test_one_form() -> None:
    """Quantities and times have one form, empty lists and maps vanish, empty objects stay."""
    pod = {
        "metadata": {"name": "p", "labels": {}, "creationTimestamp": "2026-01-01T02:00:00.5+01:00"},
        "spec": {
            "volumes": [],
            "affinity": {},
            "containers": [{"name": "c", "resources": {"limits": {"cpu": 1.5, "memory": "1024Mi"}}}],
        },
    }
    made, _warnings = admit_shape(kinds.PODS, pod)
    assert made["metadata"] == {"name": "p", "creationTimestamp": "2026-01-01T01:00:00Z"}
    limits = {"cpu": "1500m", "memory": "1Gi"}
    assert made["spec"] == {"affinity": {}, "containers": [{"name": "c", "resources": {"limits": limits}}]}


def test_fields_that_are_always_there() -> None:
    """Events show their times also where they have none."""
    made, _warnings = admit_shape(kinds.EVENTS, {"metadata": {"name": "e"}, "involvedObject": {}})
    assert (made["firstTimestamp"], made["eventTime"], made["source"]) == (None, None, {})


def test_definitions() -> None:
    """The definitions of Ray's kinds are such objects themselves, with one version, which is served and stored."""
    for kind in RAY:
        made = schemas.custom_definition(kind)
        admit_shape(kinds.CRDS, made, strict="Strict")
        (version,) = made["spec"]["versions"]
        assert made["metadata"]["name"] == kind.resource
        assert (version["name"], version["served"], version["storage"]) == (kind.version, True, True)
        assert made["spec"]["conversion"] == {"strategy": "None"}


def test_every_rule_is_known() -> None:
    """Each CEL rule of the definitions has its meaning here."""

    def rules(schema: Any) -> set[str]:
        if isinstance(schema, list):
            return set().union(*map(rules, schema))
        if not isinstance(schema, dict):
            return set()
        own = {rule["rule"] for rule in schema.get("x-kubernetes-validations", ()) if "rule" in rule}
        return own.union(*map(rules, schema.values()))

    assert rules([schemas.custom(kind) for kind in RAY]) == RULES.keys()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "1", "x", "2026-01-01T00:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "containers", "resources", "limits", "template", "spec", "metadata", "env", "ports"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(kinds.KINDS), st.sampled_from(["Strict", "Warn", "Ignore"]), JSON, JSON, JSON)
def test_any_object(kind: kinds.Kind, strict: str, meta: Any, spec: Any, more: Any) -> None:
    """Any body is admitted, and then admitted again without a change, or refused."""
    body = {"metadata": meta, "spec": spec, "data": more, "template": more, "subjects": more, "status": more}
    done, refused = tried(lambda: admit_shape(kind, body, strict=strict), Refused)
    assert done or refused.message
    if done:
        assert admit_shape(kind, done[0], strict="Strict") == (done[0], [])


@given(st.sampled_from(kinds.KINDS), st.binary() | JSON.map(lambda value: json.dumps(value).encode()), st.booleans())
def test_any_body(kind: kinds.Kind, text: bytes, yaml: bool) -> None:
    """Any text is an object of the kind or a refusal."""
    done, refused = tried(lambda: read_body(kind, text, yaml=yaml), Refused)
    assert refused or (done and (done[0]["apiVersion"], done[0]["kind"]) == (kind.api_version, kind.name))
