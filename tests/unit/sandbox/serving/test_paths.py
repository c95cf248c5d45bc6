"""What paths ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kubectl_ray.sandbox.serving.paths import Asked, asked, truth

CASES = [
    ("GET", "/api/v1/pods", ("list", "", "v1", "", "pods", "", "", "")),
    ("GET", "/api/v1/namespaces/a/pods", ("list", "", "v1", "a", "pods", "", "", "")),
    ("GET", "/api/v1/namespaces/a/pods/", ("list", "", "v1", "a", "pods", "", "", "")),
    ("DELETE", "/api/v1/namespaces/a/pods", ("deletecollection", "", "v1", "a", "pods", "", "", "")),
    ("GET", "/api/v1/namespaces", ("list", "", "v1", "", "namespaces", "", "", "")),
    ("GET", "/api/v1/namespaces/a", ("get", "", "v1", "a", "namespaces", "a", "", "")),
    ("PUT", "/api/v1/namespaces/a/finalize", ("update", "", "v1", "a", "namespaces", "a", "finalize", "")),
    ("GET", "/api/v1/namespaces/a/status", ("get", "", "v1", "a", "namespaces", "a", "status", "")),
    ("POST", "/apis/ray.io/v1/namespaces/a/rayclusters", ("create", "ray.io", "v1", "a", "rayclusters", "", "", "")),
    (
        "PATCH",
        "/apis/ray.io/v1/namespaces/a/rayclusters/c/status",
        ("patch", "ray.io", "v1", "a", "rayclusters", "c", "status", ""),
    ),
    ("GET", "/api/v1/namespaces/a/services/s:80/proxy", ("get", "", "v1", "a", "services", "s:80", "proxy", "")),
    ("GET", "/api/v1/namespaces/a/services/s:80/proxy/", ("get", "", "v1", "a", "services", "s:80", "proxy", "/")),
    ("GET", "/api/v1/namespaces/a/services/s/proxy/b/c/", ("get", "", "v1", "a", "services", "s", "proxy", "/b/c/")),
    ("GET", "/api/v1/watch/namespaces/a/pods", ("watch", "", "v1", "a", "pods", "", "", "")),
    ("GET", "/api/v1/nodes/n", ("get", "", "v1", "", "nodes", "n", "", "")),
]


@pytest.mark.parametrize(("method", "path", "parts"), CASES)
def test_of_objects(method: str, path: str, parts: tuple[str, ...]) -> None:
    """A path of an object or a collection is taken apart."""
    assert asked(method, path, {}) == Asked(path, *parts)


@pytest.mark.parametrize(
    "path", ["/", "", "/api", "/api/v1", "/apis", "/apis/ray.io", "/apis/ray.io/v1", "/version", "/x/y/z/a"]
)
def test_of_nothing(path: str) -> None:
    """Other paths are none of an object."""
    assert asked("GET", path, {}) == Asked(path, "get")


@pytest.mark.parametrize(
    ("text", "verb"),
    [("1", "watch"), ("true", "watch"), ("x", "watch"), ("0", "list"), ("false", "list"), ("", "list")],
)
def test_watch(text: str, verb: str) -> None:
    """A list with `watch` is a watch, whatever it says unless it says no."""
    assert asked("GET", "/api/v1/pods", {"watch": text}).verb == verb
    assert truth(text) == (verb == "watch")


@given(some.text(), some.text().map(lambda text: "/api/v1/" + text))
def test_any_path(method: str, path: str) -> None:
    """No path does harm."""
    assert asked(method, path, {}).path == path
