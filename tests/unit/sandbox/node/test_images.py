"""Names of images."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.node.images import Failure, failure, full_name


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("ray", "docker.io/library/ray:latest"),
        ("rayproject/ray:2.52.0", "docker.io/rayproject/ray:2.52.0"),
        ("reg.io:5000/a/b:c", "reg.io:5000/a/b:c"),
        ("localhost/x", "localhost/x:latest"),
        ("a/b@sha256:" + "0" * 64, "docker.io/a/b@sha256:" + "0" * 64),
    ],
)
def test_full_names(short: str, full: str) -> None:
    """As container runtimes write them."""
    assert full_name(short) == full


@pytest.mark.parametrize("image", ["rayproject/ray:2.52.0", "anything/at-all"])
def test_images_are_there(image: str) -> None:
    """None is ever pulled."""
    assert failure(image, "IfNotPresent", ()) is None


def test_a_registry_that_can_not_exist() -> None:
    """RFC 2606; the text is recorded but for the name server."""
    name = "registry.invalid/nope/ray:9.9"
    assert failure(name, "Always", ()) == Failure(
        "ErrImagePull",
        f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": failed to do request: Head '
        '"https://registry.invalid/v2/nope/ray/manifests/9.9": dial tcp: lookup registry.invalid: no such host',
    )


@pytest.mark.parametrize("pattern", ["me/nope:*", "docker.io/me/*", "me/nope:1"])
def test_an_image_that_is_marked_as_missing(pattern: str) -> None:
    """By its name or its full name."""
    found = failure("me/nope:1", "IfNotPresent", (pattern,))
    assert found is not None
    assert found.reason == "ErrImagePull"
    assert found.message.startswith("rpc error: code = NotFound desc = failed to pull and unpack image")
    assert failure("me/other:1", "IfNotPresent", ("me/nope:*",)) is None


def test_a_missing_image_that_may_not_be_pulled() -> None:
    """The kubelet's own reason."""
    assert failure("x/y:1", "Never", ("*",)) == Failure(
        "ErrImageNeverPull", 'Container image "x/y:1" is not present with pull policy of Never'
    )


def test_a_name_that_is_none() -> None:
    """Recorded."""
    assert failure("Bad Image!!", "Always", ()) == Failure(
        "InvalidImageName",
        'Failed to apply default image tag "Bad Image!!": couldn\'t parse image name "Bad Image!!": invalid reference '
        "format: repository name (library/Bad Image!!) must be lowercase",
    )


@given(st.text())
def test_any_name_is_judged(image: str) -> None:
    """Without an error of ours."""
    found = failure(image, "Always", ("*.x",))
    assert found is None or found.reason in {"ErrImagePull", "InvalidImageName"}
    assert isinstance(full_name(image), str)
