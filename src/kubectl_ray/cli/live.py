"""The one live line of progress on a terminal's stderr: a spinner, what is waited for, the time since it began."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from rich.live import Live
    from rich.text import Text

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII_FRAMES = "|/-\\"
_FRAMES_A_SECOND = 10


def possible(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Is this a terminal on which a line can be written over?"""
    try:
        return stream.isatty() and env.get("TERM", "") not in {"dumb", "unknown"}
    except (AttributeError, ValueError):
        return False


class LiveLine:
    """Writes over itself. `clear` takes it away; the next `update` brings it back, its clock still running."""

    def __init__(self, stream: TextIO, env: Mapping[str, str]) -> None:
        self._stream = stream
        self._env = env
        self._live: Live | None = None
        self._text = ""
        self._began: float | None = None
        encoding = (getattr(stream, "encoding", None) or "ascii").lower()
        self._frames = _FRAMES if encoding.startswith("utf") else _ASCII_FRAMES

    def update(self, text: str) -> None:
        """Show this from now on."""
        self._text = text
        if self._began is None:
            self._began = time.monotonic()
        if self._live is None:
            # rich takes 60 ms to import: something stands there meanwhile.
            self._stream.write(f"\r{self._frames[0]} {text}"[:78])
            self._stream.flush()
            self._start()

    def _start(self) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(
            file=self._stream,
            force_terminal=True,
            no_color=bool(self._env.get("NO_COLOR")) or None,
            highlight=False,
            markup=False,
            emoji=False,
            _environ=self._env,
        )
        self._stream.write("\r\x1b[K")
        self._live = Live(
            console=console,
            get_renderable=self._line,
            refresh_per_second=_FRAMES_A_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start(refresh=True)

    def _line(self) -> Text:
        from rich.text import Text

        since = time.monotonic() - (self._began or 0.0)
        frame = self._frames[int(since * _FRAMES_A_SECOND) % len(self._frames)]
        minutes, seconds = divmod(int(since), 60)
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        line.append(f"{frame} ", style="cyan")
        line.append(self._text)
        line.append(f"  {minutes}:{seconds:02}", style="dim")
        return line

    def clear(self) -> None:
        """Take the line away and give the cursor back."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def restart_clock(self) -> None:
        """The next update begins a new wait."""
        self._began = None
