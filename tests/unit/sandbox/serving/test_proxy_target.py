"""Where a proxied request goes, for anything that stands in its path."""

from __future__ import annotations

import contextlib
from urllib.parse import unquote

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.api.kinds import PODS, SERVICES, Kind
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.serving.proxy import _cleaned, _escaped, _onward
from kubectl_ray.sandbox.serving.proxy_target import Target, Unreachable, find
from tests.unit.sandbox.serving.proxied import pod, services


def world() -> Objects:
    """Pods and services of the proxy's tests."""
    objects = Objects(Store())
    for each in services():
        objects.store.put(SERVICES, each)
    for name in ("web", "unready"):
        objects.store.put(PODS, pod(name))
    return objects


@pytest.mark.parametrize("kind", [PODS, SERVICES])
def test_any_name_gives_a_target_or_a_refusal(kind: Kind) -> None:
    """Nothing else is ever raised."""
    objects = world()
    part = st.one_of(st.sampled_from(["web", "http", "https", "one", "80", "8000", "", "-1", "\uff19"]), st.text())

    @given(st.lists(part, max_size=5))
    def check(parts: list[str]) -> None:
        with contextlib.suppress(Refused, Unreachable):
            assert isinstance(find(objects, lambda *_: ("127.0.0.1", 1), kind, "default", ":".join(parts)), Target)

    check()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_path_is_sent_on_as_itself(rest: str) -> None:
    """Cleaned, but otherwise the same after decoding."""
    path = _cleaned("/" + rest)
    assert path.startswith("/")
    assert "//" not in path
    assert unquote(_escaped(path)) == path
    request = make_mocked_request("GET", "/x?a=b%26c")
    sent = _onward(request, Target("http", "127.0.0.1", 80), path).raw_path_qs
    assert sent == f"{_escaped(path)}?a=b%26c"
