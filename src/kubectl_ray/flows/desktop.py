"""The desktop of the person at this machine, where there is one: their browser and their clipboard.

Python's own `webbrowser` would take over the terminal with a text browser where there is no other.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOMENT = 1.5
"""Seconds in which a program that cannot do it says so; one that is still running then has done it."""


def open_browser(url: str, env: Mapping[str, str]) -> bool:
    """Show a page in the default browser; False where there is none, or none that this person would see.

    BROWSER wins, as it does for Python and xdg-open: a program, or several parted as PATH is; `%s` is the address.
    """
    return any(_start(command, env) for command in _browsers(url, env))


def copy(text: str, env: Mapping[str, str]) -> bool:
    """Put a text on the clipboard; False where there is none. The text is in no argument list."""
    return any(_start(command, env, text) for command in _clipboards(env))


def here(env: Mapping[str, str]) -> bool:
    """Is this person's screen at this machine? Not behind ssh, and not without a display."""
    if env.get("SSH_CONNECTION") or env.get("SSH_TTY"):
        return False
    if sys.platform in {"darwin", "win32"} or _wsl(env):
        return True
    return bool(env.get("DISPLAY") or env.get("WAYLAND_DISPLAY"))


def _browsers(url: str, env: Mapping[str, str]) -> Iterator[list[str]]:
    from os import pathsep
    from shlex import split

    for written in filter(None, env.get("BROWSER", "").split(pathsep)):
        try:
            words = split(written)
        except ValueError:
            continue
        if words:
            yield [word.replace("%s", url) for word in words] if "%s" in written else [*words, url]
    if not here(env):
        return
    if sys.platform == "darwin":
        yield ["open", url]
    elif sys.platform == "win32":
        yield ["rundll32", "url.dll,FileProtocolHandler", url]
    elif _wsl(env):
        yield ["wslview", url]
        yield ["rundll32.exe", "url.dll,FileProtocolHandler", url]
    else:
        yield ["xdg-open", url]
        yield ["gio", "open", url]


def _clipboards(env: Mapping[str, str]) -> Iterator[list[str]]:
    if not here(env):
        return
    if sys.platform == "darwin":
        yield ["pbcopy"]
    elif sys.platform == "win32" or _wsl(env):
        yield ["clip.exe"]
    if env.get("WAYLAND_DISPLAY"):
        yield ["wl-copy"]
    if env.get("DISPLAY"):
        yield ["xclip", "-selection", "clipboard"]
        yield ["xsel", "--clipboard", "--input"]


def _wsl(env: Mapping[str, str]) -> bool:
    return sys.platform == "linux" and "WSL_DISTRO_NAME" in env


def _start(command: list[str], env: Mapping[str, str], text: str = "") -> bool:
    """Start a program of the desktop away from this terminal; False when it is not there or fails within a moment.

    It may go on longer than this process (a browser): it is nobody's child to end, and Ctrl-C does not reach it.
    """
    from shutil import which
    from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
    from threading import Thread

    program = which(command[0], path=env.get("PATH", ""))
    if program is None:
        return False
    try:
        process = Popen(
            [program, *command[1:]],
            stdin=PIPE if text else DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            env=dict(env),
            start_new_session=True,
        )
    except (OSError, ValueError):
        return False
    try:
        process.communicate(text.encode() if text else None, timeout=_MOMENT)
    except TimeoutExpired:
        Thread(target=process.wait, daemon=True).start()
        return True
    return process.returncode == 0
