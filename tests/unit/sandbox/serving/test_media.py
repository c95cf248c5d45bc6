"""Which form of an answer is given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.serving import media
from kubectl_ray.sandbox.serving.media import JSON, YAML, Form

TABLE = f"{JSON};as=Table;v=v1;g=meta.k8s.io"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form(JSON)),
        ("*/*", Form(JSON)),
        ("application/yaml", Form(YAML)),
        (f"{YAML};q=0.1,{JSON};q=0.9", Form(JSON)),
        (f"{YAML};q=x", Form(YAML)),
        (TABLE, Form(JSON, "Table")),
        (f"{TABLE},{JSON}", Form(JSON, "Table")),
        (f"{JSON};as=Table;v=v9;g=meta.k8s.io,{JSON}", Form(JSON)),
        (f"{JSON};as=Table;v=v1;g=other,{JSON}", Form(JSON)),
        ("application/vnd.kubernetes.protobuf,application/json", Form(JSON)),
        ("application/json; as=PartialObjectMetadata; v=v1; g=meta.k8s.io", Form(JSON, "PartialObjectMetadata")),
    ],
)
def test_forms(accept: str, form: Form) -> None:
    """The best of what can be given, by quality and then in the client's order."""
    assert media.form(accept) == form


@pytest.mark.parametrize("accept", ["text/html", f"{JSON};as=Foo;v=v1;g=meta.k8s.io", "application/cbor"])
def test_nothing_fits(accept: str) -> None:
    """What cannot be given is refused."""
    with pytest.raises(Refused, match="only the following media types are accepted"):
        media.form(accept)


def test_watches_are_json() -> None:
    """A watch is never YAML."""
    assert media.form(f"{YAML},{JSON};stream=watch", watch=True) == Form(JSON)


@given(some.text())
def test_any_accept(accept: str) -> None:
    """No header does harm."""
    try:
        found = media.form(accept).media_type
    except Refused:
        found = media.plain(accept)
    assert found in {JSON, YAML}
