"""Label and field selectors: what they choose, and the 400 texts of those that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.api import kinds, selectors
from kubectl_ray.sandbox.api.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

VALUES = st.from_regex(r"[a-z0-9]{0,5}", fullmatch=True)


def pod(**labels: str) -> dict[str, Any]:
    """Pod n/p on machine m with these labels."""
    return {"metadata": {"name": "p", "namespace": "n", "labels": labels}, "spec": {"nodeName": "m"}}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ("a=1", True),
        ("a==1,b!=1", True),
        ("a=2", False),
        ("a", True),
        ("!a", False),
        ("!c", True),
        ("a in (1,2)", True),
        ("a notin (1)", False),
        ("c notin (1)", True),
        ("c!=1", True),
        ("c in ()", False),
        ("a>0", True),
        ("a<1", False),
        ("b>0", False),
        ("in=x", False),
        (" a = 1 , b = x ", True),
    ],
)
def test_labels(text: str, fits: bool) -> None:
    """Each kind of requirement, and several at once, against the labels a=1 and b=x."""
    assert selectors.labels(text)(pod(a="1", b="x")) is fits


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("!!", "unable to parse requirement: found '!', expected: identifier"),
        ("a in", "unable to parse requirement: found '' expected: '('"),
        ("a in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("(a)", "found '(', expected: !, identifier, or 'end of string'"),
        (
            "a>x",
            (
                "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must"
                " be an integer"
            ),
        ),
        (
            "a=" + "x" * 64,
            f'unable to parse requirement: values[0][a]: Invalid value: "{"x" * 64}": must be no more than 63 bytes',
        ),
    ],
)
def test_label_selector_that_is_none(text: str, why: str) -> None:
    """What cannot be understood is 400 in the words of a v1.36 server (recorded)."""
    with pytest.raises(Refused) as caught:
        selectors.labels(text)
    assert (caught.value.code, caught.value.reason, caught.value.message) == (400, "BadRequest", why)


@given(st.dictionaries(VALUES, VALUES), st.from_regex(r"[a-z]{1,3}", fullmatch=True), st.lists(VALUES, min_size=1))
def test_in_is_the_opposite_of_notin(labels: dict[str, str], key: str, values: list[str]) -> None:
    """Exactly one of the two holds for whatever labels."""
    listed = ",".join(values)
    held = pod(**labels)
    assert selectors.labels(f"{key} in ({listed})")(held) is not selectors.labels(f"{key} notin ({listed})")(held)


def outcome(selector: Callable[[], Callable[[dict[str, Any]], bool]]) -> bool | int:
    """What it says of a pod, or the code that it is refused with."""
    try:
        return selector()(pod(a="1"))
    except Refused as refused:
        return refused.code


@given(st.text(alphabet="ab1-/.=!(),<> \\in\0é", max_size=30))
def test_any_label_selector_is_read_or_refused(text: str) -> None:
    """Nothing but a selector or a 400 can come of a text."""
    assert outcome(lambda: selectors.labels(text)) in {True, False, 400}


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ({}, True),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_label_selector_objects(selector: dict[str, Any], fits: bool) -> None:
    """The selector that specs hold means the same as the one of a query."""
    assert selectors.matches(selector, {"a": "1"}) is fits


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("metadata.name=p", True),
        ("metadata.name!=p", False),
        ("spec.nodeName=m,metadata.namespace=n", True),
        ("status.phase=", True),
        ("spec.hostNetwork=false", True),
        ("metadata.name==p,,", True),
        ("metadata.name=p\\,q", False),
        ("=", True),
        ("", True),
    ],
)
def test_fields(text: str, fits: bool) -> None:
    """A pod is chosen by its fields; an absent one is empty."""
    assert selectors.fields(kinds.PODS, text)(pod()) is fits


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        (kinds.PODS, "x=1", "field label not supported: x"),
        (kinds.RAY_CLUSTERS, "status.state=ready", "field label not supported: status.state"),
        (
            kinds.CONFIG_MAPS,
            "x=1",
            '"x" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (kinds.JOBS, "x=1", 'field label "x" not supported for Job'),
        (kinds.PODS, "metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        (kinds.PODS, "metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
        (kinds.PODS, "metadata.name=a\\x", "invalid field selector: invalid escape sequence: \\x"),
    ],
)
def test_field_selector_that_is_none(kind: kinds.Kind, text: str, why: str) -> None:
    """A field that the kind cannot be chosen by, or no selector at all, is 400 in the words of a v1.36 server."""
    with pytest.raises(Refused) as caught:
        selectors.fields(kind, text)
    assert (caught.value.code, caught.value.message) == (400, why)


def test_fields_of_events() -> None:
    """What `kubectl describe` asks for: events about one object; the source is the component."""
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"name": "p", "uid": "u"},
        "source": {"component": "kubelet"},
        "reportingComponent": "other",
    }
    assert selectors.fields(kinds.EVENTS, "involvedObject.name=p,involvedObject.uid=u,source=kubelet")(event)
    assert selectors.fields(kinds.EVENTS, "source=default-scheduler")(
        {"metadata": {}, "source": {}, "reportingComponent": "default-scheduler"}
    )


@given(st.text(alphabet="metada.n=!,\\ ü", max_size=30), st.sampled_from(kinds.KINDS))
def test_any_field_selector_is_read_or_refused(text: str, kind: kinds.Kind) -> None:
    """Nothing but a selector or a 400 can come of a text."""
    assert outcome(lambda: selectors.fields(kind, text)) in {True, False, 400}
