"""Whose browser and clipboard are used, and where there are none."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.flows import desktop

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have one program each")
URL = "http://127.0.0.1:8265"


class Desktop:
    """A folder of programs that write down what they are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {"PATH": f"{folder}:/usr/bin:/bin", "DISPLAY": ":0"}

    def has(self, name: str, then: str = "") -> None:
        """A program of this name; `then` is what it does after it has written its arguments and stdin."""
        path = self.folder / name
        path.write_text(f'#!/bin/sh\necho "$@" > {path}.args\ncat > {path}.stdin\n{then}\n')
        path.chmod(0o755)

    def wrote(self, name: str, what: str = "args") -> str:
        """What it was given; "" when it was not started."""
        path = self.folder / f"{name}.{what}"
        return path.read_text().strip() if path.exists() else ""


@pytest.fixture
def screen(tmp_path: Path) -> Desktop:
    """Without any program yet."""
    return Desktop(tmp_path)


def test_the_default_browser(screen: Desktop) -> None:
    """xdg-open knows which."""
    screen.has("xdg-open")
    assert desktop.open_browser(URL, screen.env)
    assert screen.wrote("xdg-open") == URL


def test_a_browser_that_fails(screen: Desktop) -> None:
    """The next way is tried; none left is no browser."""
    screen.has("xdg-open", "exit 3")
    screen.has("gio", "exit 1")
    assert not desktop.open_browser(URL, screen.env)
    assert screen.wrote("gio") == f"open {URL}"


def test_a_browser_that_goes_on(screen: Desktop) -> None:
    """One that is still running after a moment has opened; it is not waited for."""
    (screen.folder / "xdg-open").write_text("#!/bin/sh\nexec sleep 60\n")
    (screen.folder / "xdg-open").chmod(0o755)
    began = time.monotonic()
    assert desktop.open_browser(URL, screen.env)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("gone", [{"DISPLAY": ""}, {"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}, {"SSH_TTY": "/dev/x"}])
def test_nobody_would_see_it(screen: Desktop, gone: dict[str, str]) -> None:
    """Without a display, or behind ssh, nothing is started."""
    screen.has("xdg-open")
    screen.has("xclip")
    assert not desktop.open_browser(URL, {**screen.env, **gone})
    assert not desktop.copy("x", {**screen.env, **gone})
    assert screen.wrote("xdg-open") == screen.wrote("xclip") == ""


def test_a_browser_of_the_person(screen: Desktop) -> None:
    """BROWSER wins, also where there is no screen: an editor that is connected from elsewhere sets it."""
    screen.has("xdg-open")
    screen.has("mine")
    env = {**screen.env, "SSH_CONNECTION": "x"}
    assert desktop.open_browser(URL, {**env, "BROWSER": "nosuch:mine --new %s"})
    assert screen.wrote("mine") == f"--new {URL}"
    assert desktop.open_browser(URL, {**env, "BROWSER": "mine"})
    assert screen.wrote("mine") == URL
    assert screen.wrote("xdg-open") == ""


@pytest.mark.parametrize("written", ["'", ":::", " "])
def test_a_browser_that_is_no_command(screen: Desktop, written: str) -> None:
    """Passed over."""
    assert not desktop.open_browser(URL, {**screen.env, "BROWSER": written})


def test_the_clipboard(screen: Desktop) -> None:
    """The first tool that is there gets it, on its stdin: a list of processes shows arguments to everybody."""
    assert not desktop.copy("s3cret", screen.env)
    screen.has("xsel")
    assert desktop.copy("s3cret", screen.env)
    assert screen.wrote("xsel", "stdin") == "s3cret"
    assert "s3cret" not in screen.wrote("xsel")


def test_the_clipboard_of_wayland(screen: Desktop) -> None:
    """A tool that holds the text for as long as it is wanted goes on in the background."""
    screen.has("wl-copy")
    screen.has("xclip")
    assert desktop.copy("s3cret", {**screen.env, "WAYLAND_DISPLAY": "wayland-0"})
    assert screen.wrote("wl-copy", "stdin") == "s3cret"
    assert screen.wrote("xclip", "stdin") == ""
