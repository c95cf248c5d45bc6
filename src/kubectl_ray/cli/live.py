"""The live line on a terminal's stderr, folded where it is long: a spinner, what is waited for, the time since then."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from threading import Timer
    from typing import TextIO

    from rich.live import Live
    from rich.text import Text

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII_FRAMES = "|/-\\"
_FRAMES_A_SECOND = 10
_ERASE = "\r\x1b[K"
_SOON = 0.08


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
        self._timer: Timer | None = None
        self._drawn = False
        encoding = (getattr(stream, "encoding", None) or "ascii").lower()
        self._frames = _FRAMES if encoding.startswith("utf") else _ASCII_FRAMES

    def expect(self, text: str) -> None:
        """Show this if nothing else was shown or cleared within a moment: nobody should look at an empty line."""
        from threading import Timer

        def draw() -> None:
            if self._timer is timer:
                self._drawn = True
                self._draw(text)

        self._timer = timer = Timer(_SOON, draw)
        timer.daemon = True
        timer.start()

    def _draw(self, text: str) -> None:
        """The line by hand: rich takes 60 ms to import."""
        try:
            room = os.get_terminal_size(self._stream.fileno()).columns or 80
        except (OSError, ValueError):
            room = 80
        try:
            # Cut, as what a narrow terminal folds cannot be taken back by erasing a line.
            self._stream.write(f"\r{self._frames[0]} {text}"[:room])
            self._stream.flush()
        except (OSError, ValueError):
            self._timer = None

    def update(self, text: str) -> None:
        """Show this from now on."""
        self._stop_expecting()
        self._text = text
        if self._began is None:
            self._began = time.monotonic()
        if self._live is None:
            self._draw(text)
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
        self._stream.write(_ERASE)
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
        line = Text(overflow="fold", end="")  # a reason is worth a second line
        line.append(f"{frame} ", style="cyan")
        line.append(self._text)
        line.append(f"  {minutes}:{seconds:02}", style="dim")
        return line

    def clear(self) -> None:
        """Take the line away and give the cursor back."""
        self._stop_expecting()
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _stop_expecting(self) -> None:
        timer, self._timer = self._timer, None
        if timer is None:
            return
        timer.cancel()
        timer.join()
        if self._drawn:
            self._drawn = False
            try:
                self._stream.write(_ERASE)
                self._stream.flush()
            except (OSError, ValueError):
                return
