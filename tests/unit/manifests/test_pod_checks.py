"""Names and keys that Kubernetes refuses only when the pod is made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import WrongUse
from kubectl_ray.manifests.pod_checks import check_pod, is_qualified, is_subdomain, is_value

GOOD: dict[str, Any] = {
    "containers": [{"name": "ray", "image": "rayproject/ray:2.52.0"}],
    "serviceAccountName": "trainer",
    "imagePullSecrets": [{"name": "my.registry-1"}],
    "nodeSelector": {"cloud.google.com/gke-tpu-topology": "2x2", "pool": ""},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}, {"operator": "Exists"}],
}


def test_what_kubernetes_takes_is_taken() -> None:
    """The usual names and keys pass."""
    check_pod("head", GOOD)


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"containers": [{"image": "a b"}]}, "--image"),
        ({"containers": [{"image": ""}]}, "--image"),
        ({"serviceAccountName": "Bad Name"}, "--service-account"),
        ({"imagePullSecrets": [{"name": "X Y"}]}, "--image-pull-secret"),
        ({"nodeSelector": {"a b": "c"}}, "--worker-node-selectors"),
        ({"nodeSelector": {"a": "-"}}, "--worker-node-selectors"),
        ({"nodeSelector": {"/a": "c"}}, "--worker-node-selectors"),
        ({"tolerations": [{"key": "a b"}]}, "--worker-tolerations"),
        ({"tolerations": [{"key": "a", "value": "x" * 64}]}, "--worker-tolerations"),
    ],
)
def test_what_it_refuses_is_refused_before_sending(change: dict[str, Any], flag: str) -> None:
    """The flag is named, and what its value should look like."""
    with pytest.raises(WrongUse) as refused:
        check_pod("worker", {**GOOD, **change})
    assert refused.value.message.startswith(flag)
    assert refused.value.hint


@pytest.mark.parametrize(("name", "fine"), [("a", True), ("a.b-c", True), ("", False), ("a..b", False), ("-a", False)])
def test_names(name: str, fine: bool) -> None:
    """DNS-1123 subdomains."""
    assert is_subdomain(name) is fine


@pytest.mark.parametrize(
    ("key", "fine"), [("a", True), ("A_b.c", True), ("x.io/a", True), ("X.io/a", False), ("", False)]
)
def test_keys(key: str, fine: bool) -> None:
    """Qualified names: the prefix is a subdomain, the name is not."""
    assert is_qualified(key) is fine


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    """A value that is taken is one that a label can have; nothing is raised."""
    if is_value(text) and text:
        assert len(text) <= 63
        assert text.isascii()
