"""Values as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import WrongUse
from kubectl_ray.manifests.read import autoscaler, pairs, seconds, toleration
from tests.unit.models.mangled import refusal


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["a=1,b=2", "c=3"], {"a": "1", "b": "2", "c": "3"}),
        (["a="], {"a": ""}),
        (["a=x=y"], {"a": "x=y"}),
        (["a=1\\,2,b=3"], {"a": "1,2", "b": "3"}),
        (["a=C:\\dir\\"], {"a": "C:\\dir\\"}),
        ([""], {}),
        (["a=1,", " b =2"], {"a": "1", "b": "2"}),
    ],
)
def test_pairs(texts: list[str], found: dict[str, str]) -> None:
    """Several in one flag, or the flag several times."""
    assert pairs(texts, "--labels") == found


@pytest.mark.parametrize("text", ["novalue", "=1", "a=1,b", ",=,"])
def test_no_pairs(text: str) -> None:
    """A part without key or without `=` is named."""
    with pytest.raises(WrongUse, match="--labels"):
        pairs([text], "--labels")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a=b:NoSchedule", {"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"}),
        ("a:noexecute", {"key": "a", "operator": "Exists", "effect": "NoExecute"}),
        ("nvidia.com/gpu", {"key": "nvidia.com/gpu", "operator": "Exists"}),
        ("a=b", {"key": "a", "operator": "Equal", "value": "b"}),
        ("a=:PreferNoSchedule", {"key": "a", "operator": "Equal", "value": "", "effect": "PreferNoSchedule"}),
    ],
)
def test_toleration(text: str, found: dict[str, str]) -> None:
    """With or without value, with or without effect."""
    assert toleration(text, "--worker-tolerations") == found


@pytest.mark.parametrize(
    ("text", "hint"),
    [("", "key=value"), (":NoSchedule", "key=value"), ("a=b:NoShedule", "NoSchedule"), ("a:", "NoExecute")],
)
def test_no_toleration(text: str, hint: str) -> None:
    """No key, or an effect that is none; the near one is proposed."""
    with pytest.raises(WrongUse) as caught:
        toleration(text, "--worker-tolerations")
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "found"), [("v1", "v1"), ("V2", "v2"), ("true", "default"), ("default", "default"), ("false", "off")]
)
def test_autoscaler(text: str, found: str) -> None:
    """Versions in any case, and a plain yes or no."""
    assert autoscaler(text, "--autoscaler") == found


def test_no_autoscaler() -> None:
    """No version of an autoscaler: the hint is written as it was asked, a flag or a key of a file."""
    for where, hint in (
        ("--autoscaler", "Write --autoscaler=v2"),
        ("autoscaler.version", "Write autoscaler.version: v2"),
    ):
        with pytest.raises(WrongUse, match="v3") as caught:
            autoscaler("v3", where)
        assert caught.value.hint == hint


def test_seconds() -> None:
    """A length of time, or our error."""
    assert seconds("5m", "--idle-timeout") == 300
    for text in ("soon", "", "999999999d", "1.5", "500ms"):
        with pytest.raises(WrongUse, match="--idle-timeout"):
            seconds(text, "--idle-timeout")


@given(st.text(max_size=20))
def test_only_our_error(text: str) -> None:
    """Whatever is typed."""
    for reader in (toleration, autoscaler, seconds, lambda value, where: pairs([value], where)):
        refused = refusal(reader, text, "--flag")
        assert refused is None or "--flag" in refused.message
