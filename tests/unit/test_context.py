"""What a command may use of the world."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.context import Context
from kubectl_ray.errors import NotFound, NotLoggedIn, WrongUse
from kubectl_ray.kube.kubeconfig import Overrides
from tests.wire.server import ApiServer

if TYPE_CHECKING:
    from pathlib import Path


class Terminal(io.StringIO):
    """A stream with a person behind it."""

    def isatty(self) -> bool:
        """There is one."""
        return True


def context(**given: Any) -> Context:
    """A context of which a test gives what matters to it."""
    world: dict[str, Any] = {
        "overrides": Overrides(),
        "env": {"HOME": "/nonexistent"},
        "stdin": io.StringIO(),
        "stderr": io.StringIO(),
    }
    return Context(**{**world, **given})


def test_building_it_does_nothing() -> None:
    """Neither kubeconfig nor server is touched before they are needed."""
    ctx = context()
    ctx.close()
    assert ctx.warnings == []
    with pytest.raises(NotLoggedIn):
        _ = ctx.api


def test_one_client() -> None:
    """It is made once and closed once."""
    made = []

    class Client:
        """Counts."""

        namespace = "inherited"
        warnings = ("old",)

        def close(self) -> None:
            """Counted."""
            made.append("closed")

    def connect(_ctx: Context) -> Any:
        made.append("made")
        return Client()

    ctx = context(connect=connect)
    assert ctx.api is ctx.api
    assert (ctx.namespace, ctx.warnings) == ("inherited", ["old"])
    ctx.close()
    ctx.close()
    assert made == ["made", "closed"]


def test_namespace() -> None:
    """-n, else the context's."""
    assert context(overrides=Overrides(namespace="given")).namespace == "given"
    with ApiServer(namespace="team") as api:
        assert context(env=api.env).namespace == "team"


def test_flags_reach_the_connection() -> None:
    """Compression and the kubeconfig's entries."""
    with ApiServer() as api:
        assert context(env=api.env, compression=False).target.disable_compression
        assert not context(env=api.env).target.disable_compression
        with pytest.raises(NotFound):
            _ = context(env=api.env, overrides=Overrides(context="nosuch")).target


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False), ("perhaps\nyes\n", True)],
)
def test_questions(typed: str, answer: bool) -> None:
    """Yes or no; no answer is no; anything else is asked again."""
    err = Terminal()
    ctx = context(stdin=Terminal(typed), stderr=err)
    assert ctx.interactive
    assert ctx.confirm("Sure?") is answer
    assert err.getvalue().startswith("Sure? [y/N] ")


def test_nobody_to_ask() -> None:
    """Without a terminal a question is refused, and the flag is named."""
    ctx = context(stdin=io.StringIO("y\n"), stderr=Terminal())
    with pytest.raises(WrongUse) as caught:
        ctx.confirm("Sure?")
    assert "--yes" in caught.value.hint


def test_talk() -> None:
    """As loud as -v asks for, a live line out of the way first."""
    err, cleared = io.StringIO(), []
    ctx = context(stderr=err, verbosity=2)
    ctx.before_talk = lambda: cleared.append(True)
    ctx.talk(1, "one")
    ctx.talk(2, "two")
    ctx.talk(3, "three")
    assert err.getvalue() == "one\ntwo\n"
    assert len(cleared) == 2


def test_files(tmp_path: Path) -> None:
    """UTF-8, with or without a mark at its beginning; `-` is stdin."""
    path = tmp_path / "x"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9")
    assert context().read_text(str(path)) == "a: é"
    assert context(stdin=io.StringIO("typed")).read_text("-") == "typed"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Wrong use, with the reason."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "missing", tmp_path, binary, "nul\0l"):
        with pytest.raises(WrongUse):
            context().read_text(str(path))


@pytest.mark.parametrize("name", ["/dev/zero", "-"])
def test_a_file_without_an_end(name: str) -> None:
    """It is left alone after as much as could be the shape of a cluster."""
    with pytest.raises(WrongUse, match="far too long"):
        context(stdin=io.StringIO("x" * 2_000_000)).read_text(name)


def test_clocks() -> None:
    """Seconds since 1970; seconds that never go back."""
    ctx = context()
    assert ctx.now() > 1_700_000_000
    assert ctx.monotonic() <= ctx.monotonic()
