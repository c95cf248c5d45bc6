"""Wrong words, wrong flags, streams that fail: one clear answer each, its exit code, and never a traceback."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness.objects import untouched
from tests.e2e.harness.running import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("clutser list", "cluster"),
        ("cluster lst", "list"),
        ("cluster creat x", "create"),
        ("cluster worker-group creat x", "create"),
        ("cluster list --otput json", "--output"),
        ("cluster list surplus", "surplus"),
        ("cluster scale --replicas", "--replicas"),
        ("cluster list -o jsonpath=", "jsonpath"),
        ("cluster list -o jsonpath='{.items[*'", "jsonpath"),
        ("cluster list -o custom-columns=NAME", "custom-columns"),
        ("cluster list --sort-by='{.x'", "{.x"),
        ("cluster list --request-timeout=soon", "soon"),
        ("cluster delete --yes", ""),
    ],
)
def test_wrong_use(ray: Ray, line: str, told: str) -> None:
    """Exit code 2, what is wrong or near, nothing on stdout."""
    said = ray(line, code=2)
    assert told in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    "line", ["", "--help", "help", "cluster", "cluster --help", "cluster create --help", "help cluster list"]
)
def test_help(ray: Ray, line: str) -> None:
    """Help is an answer: on stdout, exit code 0."""
    said = ray(line)
    assert "kubectl ray" in said.out
    assert said.err == ""


def test_unknown_word_is_not_success(ray: Ray) -> None:
    """Unlike the Go plugin, a word that does not exist is no success."""
    ray("get nosuch", code=2)


def test_one_dash_is_not_guessed(ray: Ray) -> None:
    """A long flag with one dash is understood only where the flag exists."""
    ray("cluster list -unknownflag", code=2)


@pytest.mark.parametrize("line", ["cluster list", "cluster list -o json", "version", "--help"])
def test_full_disk(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], line: str) -> None:
    """Stdout that takes nothing: exit code 1 and the system's reason."""
    kubectl.create(untouched(fresh("full")))
    with Path("/dev/full").open("wb") as full:
        said = ray.into(line, full)
    assert said.code == 1
    assert "No space left on device" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("line", ["cluster list", "cluster list -o json", "cluster list -o yaml", "--help", "version"])
def test_closed_pipe(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], line: str) -> None:
    """A reader that left (`| head -1`) ends it in silence."""
    kubectl.create(untouched(fresh("pipe")))
    reading, writing = os.pipe()
    os.close(reading)
    try:
        said = ray.into(line, writing)
    finally:
        os.close(writing)
    assert said.err == ""


def test_closed_stdout(ray: Ray) -> None:
    """No stdout at all (`>&-`) is no reason for a traceback."""
    import subprocess

    done = subprocess.run(
        ["bash", "-c", "kubectl ray cluster list >&-"],
        env=ray.env,
        cwd=ray.cwd,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(
    not str(Path(__file__).parent).isascii(),
    reason="Python itself does not start in that locale where an editable install's path is beyond ASCII",
)
@pytest.mark.skipif(
    not str(PROGRAMS).isascii(),
    reason="Python itself does not start in such a locale: the editable install's .pth names this checkout's folder",
)
def test_narrow_locale(ray: Ray) -> None:
    """A terminal without UTF-8 still gets its words."""
    said = ray.having(LANG="C", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")("cluster get nosuch", code=5)
    assert "nosuch" in said.err


@pytest.mark.parametrize(
    "line", ["cluster list", "cluster get x", "cluster create x --no-wait", "cluster delete x --yes"]
)
def test_wrong_namespace(ray: Ray, line: str) -> None:
    """A namespace that does not exist is named, and is no empty answer."""
    said = ray(f"{line} -n no-such-place", code=5)
    assert "no-such-place" in said.err
    assert said.out == ""


def test_near_namespace(ray: Ray) -> None:
    """The one that may have been meant is proposed."""
    assert "kube-system" in ray("cluster list -n kube-systm", code=5).err


def test_names_that_are_no_names(ray: Ray) -> None:
    """Whatever stands where a name belongs goes to the server as one path segment, or not at all."""
    for name in ("../../pods", "a%2Fb", "a b", "%", "ä", "x?watch=true"):
        said = ray.outcome(f"cluster get '{name}'")
        assert said.code in {2, 5}, said
        assert "Traceback" not in said.err
