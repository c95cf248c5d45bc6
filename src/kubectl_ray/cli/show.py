"""Results and events on stdout and stderr: the answer on the one, the talk on the other.

This is the only code that prints what commands return. stdout that is closed or full ends the run as `Closed` or
`Unwritable`, so that neither can be taken for trouble on the way to the API server.
"""

from __future__ import annotations

from itertools import chain

from kubectl_ray.cli.live import LiveLine, possible
from kubectl_ray.errors import KubectlRayError
from kubectl_ray.results import Exit, IfInterrupted, Line, Note, Objects, Page, Progress, Rows, Warn
from kubectl_ray.views.table import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from kubectl_ray.flags.output import Output
    from kubectl_ray.results import Event


class Closed(Exception):
    """Nobody reads stdout any more (`| head -1`)."""


class Unwritable(KubectlRayError):
    """stdout cannot be written to: its disk is full."""


class Screen:
    """Shows one run's events."""

    def __init__(
        self,
        stdout: TextIO,
        stderr: TextIO,
        env: Mapping[str, str],
    ) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._output: Output | None = None
        self._headers = True
        self._managed_fields = False
        self._live = LiveLine(stderr, env) if possible(stderr, env) else None
        self._table: Table | None = None
        self._documents = 0
        self._last_progress = ""
        self.if_interrupted = ""
        self.exit_code = 0

    def configure(self, args: argparse.Namespace) -> None:
        """Take over how the answer is wanted, from the flags in `flags.output`."""
        output = getattr(args, "output", None)
        if isinstance(output, str):
            from kubectl_ray.flags.output import Output

            output = Output(output)
        self._output = output
        self._headers = not getattr(args, "no_headers", False)
        self._managed_fields = getattr(args, "show_managed_fields", False)

    @property
    def live(self) -> bool:
        """Is stderr a terminal whose line can be written over?"""
        return self._live is not None

    def show(self, events: Event | Iterable[Event]) -> None:
        """Show one event, or each as it comes.

        Raises:
            Closed: nobody reads stdout.
            Unwritable: stdout is full.
        """
        from kubectl_ray.results import Event

        if isinstance(events, Event):
            events = (events,)
        try:
            for event in events:
                self._show(event)
        finally:
            self.clear()
            close = getattr(events, "close", None)
            if close is not None:
                close()
        self.flush()

    def _show(self, event: Event) -> None:
        if isinstance(event, Rows):
            self._rows(event)
        elif isinstance(event, Objects):
            self._objects(event)
        elif isinstance(event, (Line, Page)):
            self.write(event.text.rstrip("\n") + "\n")
            self.flush()
        elif isinstance(event, Progress):
            self._progress(event.text)
        elif isinstance(event, IfInterrupted):
            self.if_interrupted = event.text
        elif isinstance(event, Exit):
            self.exit_code = event.code
        elif isinstance(event, Warn):
            self.say(f"Warning: {event.text}")
        elif isinstance(event, Note):
            self.say(event.text)
        else:
            raise TypeError(f"nobody knows how to show {event!r}")

    def write(self, text: str) -> None:
        """Write to stdout.

        Raises:
            Closed: nobody reads it.
            Unwritable: its disk is full.
        """
        self.clear()
        try:
            self._stdout.write(text)
        except BrokenPipeError:
            raise Closed from None
        except OSError as error:
            raise _unwritable(error) from error

    def flush(self) -> None:
        """Let everything written be seen now; raises as `write` does."""
        try:
            self._stdout.flush()
        except BrokenPipeError:
            raise Closed from None
        except OSError as error:
            raise _unwritable(error) from error

    def say(self, text: str) -> None:
        """One remark on stderr. A stderr that nobody reads is no reason to stop."""
        self.clear()
        self._last_progress = ""
        try:
            self._stderr.write(text.rstrip("\n") + "\n")
            self._stderr.flush()
        except OSError:
            pass

    def error(self, error: KubectlRayError) -> None:
        """What failed, then what to do, which is the last line."""
        self.say(f"Error: {error.message}" + (f"\n{error.hint}" if error.hint else ""))

    def expect(self, text: str) -> None:
        """Say this on a terminal if nothing else is shown soon."""
        if self._live is not None:
            self._live.expect(text)

    def clear(self) -> None:
        """Take a live line away before anything else is written."""
        if self._live is not None:
            self._live.clear()

    def _progress(self, text: str) -> None:
        if self._live is not None:
            self._live.update(text)
        elif text != self._last_progress:
            self.say(text)
            self._last_progress = text

    def _rows(self, event: Rows) -> None:
        if self._table is None or not event.more:
            wide = self._output is not None and self._output.wide
            self._table = Table(event.columns, wide=wide, headers=self._headers)
        rows = iter(event.rows)
        first = next(rows, None)
        if first is None and not event.headers_when_empty:
            if event.empty:
                self.flush()
                self.say(event.empty)
            return
        table = self._table
        every = chain((first,), rows) if first is not None else ()
        self.write("".join(f"{line}\n" for line in table.lines(every, titles=not event.more)))
        self.flush()
        if first is None and event.empty:
            self.say(event.empty)

    def _objects(self, event: Objects) -> None:
        from kubectl_ray.cli.documents import pieces

        format_ = self._output.format if self._output is not None else "yaml"
        if format_ == "yaml" and self._documents:
            self.write("---\n")
        self._documents += 1
        expression = self._output.expression if self._output is not None else ""
        for piece in pieces(
            event, format_, expression, headers=self._headers and self._documents == 1, managed=self._managed_fields
        ):
            self.write(piece)
        self.flush()


def _unwritable(error: OSError) -> Unwritable:
    return Unwritable(
        f"The answer cannot be written: {error.strerror or error}", hint="Make room where it is written to."
    )
