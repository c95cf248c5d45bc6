"""Strategies for objects as they should not be: fields missing, of another type, or nested where text belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from kubectl_ray.errors import WrongUse

if TYPE_CHECKING:
    from collections.abc import Callable

JUNK = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("2026-11-23T11:52:02Z")
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)


def refusal(call: Callable[..., object], *arguments: object) -> WrongUse | None:
    """Our error that a call ends with, or None; any other error goes through."""
    try:
        call(*arguments)
    except WrongUse as error:
        return error
    return None


def _paths(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key, item in value.items():
            found += _paths(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            found += _paths(item, (*path, at))
    return found


def _replaced(value: Any, path: tuple[Any, ...], new: object) -> Any:
    if not path:
        return new
    step, *rest = path
    if isinstance(value, dict):
        return {key: _replaced(item, tuple(rest), new) if key == step else item for key, item in value.items()}
    return [_replaced(item, tuple(rest), new) if at == step else item for at, item in enumerate(value)]


def _without(value: Any, path: tuple[Any, ...]) -> Any:
    if not path:
        return {}
    step, *rest = path
    if isinstance(value, dict):
        return {
            key: _without(item, tuple(rest)) if key == step else item
            for key, item in value.items()
            if rest or key != step
        }
    return [_without(item, tuple(rest)) if at == step else item for at, item in enumerate(value) if rest or at != step]


@st.composite
def mangled(draw: st.DrawFn, sound: dict[str, Any]) -> Any:
    """A sound object with up to four of its fields taken away or replaced by junk."""
    broken: Any = sound
    for _ in range(draw(st.integers(0, 4))):
        paths = _paths(broken)
        path = draw(st.sampled_from(paths))
        broken = _without(broken, path) if draw(st.booleans()) else _replaced(broken, path, draw(JUNK))
    return broken
