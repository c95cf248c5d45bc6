"""What a RayCluster's spec says of tokens."""

from __future__ import annotations

import pytest

from kubectl_ray.models.authentication import Authentication, checked
from kubectl_ray.models.cluster import Cluster
from tests.kuberay import cluster


def of(name: str = "a", **options: object) -> Authentication:
    """Of a cluster with these authOptions."""
    return Authentication(Cluster(cluster(name, authOptions=options)))


def test_the_secret_is_named_as_the_cluster() -> None:
    """The operator makes it."""
    found = of(mode="token")
    assert (found.mode, found.secret, found.kubernetes_tokens) == ("token", "a", False)


def test_a_secret_of_the_user() -> None:
    """A name in the spec wins."""
    assert of(mode="token", secretName="mine").secret == "mine"


def test_nothing_is_said() -> None:
    """Most clusters have no authOptions; broken ones count as none."""
    assert Authentication(Cluster(cluster("a"))).mode == ""
    assert Authentication(Cluster({"spec": {"authOptions": [1]}})).mode == ""


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("a", "a"),
        ("x" * 50, "x" * 50),
        ("abc" + "x" * 50, "x" * 50),
        ("abc7" + "x" * 49, "r" + "x" * 49),
        ("abc-" + "x" * 49, "r" + "x" * 49),
        ("", ""),
    ],
)
def test_names_that_the_operator_makes(name: str, secret: str) -> None:
    """Of a long name it keeps the last 50 letters; the first must be a letter."""
    assert checked(name) == secret
