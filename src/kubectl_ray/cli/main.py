"""From argv to an exit code: find the command, read its flags, run it, show what it says, put errors into words.

Exit codes: 0 ok, else the error's own (see `errors`). A negative number -N means: the process is to die of signal N,
as shells and `make` expect of a program that was interrupted or whose reader left.
"""

from __future__ import annotations

import gc
import io
import os
import signal
import sys

from kubectl_ray.cli import grammar
from kubectl_ray.cli.show import Closed, Screen
from kubectl_ray.errors import KubectlRayError, WrongUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType, ModuleType
    from typing import NoReturn, TextIO

    from kubectl_ray.cli.grammar import Match
    from kubectl_ray.context import Context
    from kubectl_ray.flows.background import Starter
    from kubectl_ray.kube.client import Client

DEBUG = "KUBECTL_RAY_DEBUG"
#: Signals that end a run; SIGHUP comes when the terminal is closed.
_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_START: tuple[list[str], ...] = ([], ["-h"], ["--help"], ["help"])


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or a request to end; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        self.number = number


def entry(starter: Starter | None = None) -> NoReturn:
    """`kubectl-ray`: run, and end as the outcome says. `starter`: see `Context`."""
    gc.disable()  # a short process: walking the objects of a big list costs more than what it frees
    ending = _Ending()
    for number in _ENDING:
        # One that the caller had ignored stays so: behind `nohup` a closed terminal ends nothing.
        if signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}:
            signal.signal(number, ending)
    stdin, stdout, stderr = (_usable(stream) for stream in (sys.stdin, sys.stdout, sys.stderr))
    code = main(sys.argv[1:], env=os.environ, stdin=stdin, stdout=stdout, stderr=stderr, starter=starter, ending=ending)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    leave(code)


def leave(code: int) -> NoReturn:
    """End the process without taking the interpreter apart, which costs a tenth of a `list`: 7 of 60 ms of CPU time.

    Nothing waits for that: connections are closed by now, and what a command starts it also ends.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream:
                stream.flush()
        except (OSError, ValueError):
            code = code or 1  # what was not written yet is lost
    os._exit(code)


def _usable(stream: TextIO | None) -> TextIO:
    """The stream; where the caller closed it (`>&-`), one that leads nowhere."""
    if stream is None:
        return open(os.devnull, "r+", encoding="utf-8")  # noqa: PTH123 -- stays open to the process's end
    if isinstance(stream, io.TextIOWrapper):
        # A name that the terminal's encoding lacks must not end a list.
        stream.reconfigure(errors="backslashreplace")
    return stream


class _Ending:
    """What is called at a signal: the first unwinds what runs; a second one ends the process at once."""

    number = 0
    """The first one's."""

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Raises: Interrupted: always."""
        self.number = number
        for each in _ENDING:
            if signal.getsignal(each) is self:
                signal.signal(each, signal.SIG_DFL)
        raise Interrupted(number)


def main(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: TextIO,
    stdout: TextIO,
    stderr: TextIO,
    connect: Callable[[Context], Client] | None = None,
    starter: Starter | None = None,
    ending: _Ending | None = None,
) -> int:
    """Run one command line. Touches no stream but those given, and no signal.

    `connect` replaces the way to the API server: tests give a client of their own. `starter`: see `Context`.
    `ending` knows whether a signal has come.
    """
    screen = Screen(stdout, stderr, env)
    run = _Run(screen, env, stdin, stderr, connect)
    run.argv, run.starter = argv, starter
    code = 0
    try:
        run.run(in_utf8(argv))
        code = screen.exit_code
    except KubectlRayError as error:
        from kubectl_ray.cli.wording import traced, worded

        if env.get(DEBUG):
            screen.say(traced(error))
        screen.error(worded(error, run.said, run.ctx.context if run.ctx else ""))
        code = error.exit_code
    except Closed:
        code = -signal.SIGPIPE if hasattr(signal, "SIGPIPE") else 1
    except KeyboardInterrupt as interrupt:
        code = _interrupted(screen, getattr(interrupt, "number", signal.SIGINT))
    except Exception as error:  # the last resort: a defect becomes one line, not a traceback
        if ending is not None and ending.number:  # a module in C makes an ImportError of it while it is imported
            code = _interrupted(screen, ending.number)
        elif env.get(DEBUG):
            raise
        else:
            from kubectl_ray.cli.wording import defect

            screen.error(defect(error))
            code = 1
    finally:
        screen.clear()
        run.close()
    return code


def _interrupted(screen: Screen, number: int) -> int:
    screen.clear()
    echoed = "\n" if screen.live else ""  # the terminal has just shown ^C
    screen.say(echoed + (screen.if_interrupted or "Interrupted."))
    return -number


class _Run:
    """One run: what is known of it when it ends early."""

    def __init__(
        self,
        screen: Screen,
        env: Mapping[str, str],
        stdin: TextIO,
        stderr: TextIO,
        connect: Callable[[Context], Client] | None,
    ) -> None:
        self.screen = screen
        self.env = env
        self.stdin = stdin
        self.stderr = stderr
        self.connect = connect
        self.argv: Sequence[str] = ()
        self.starter: Starter | None = None
        self.said: tuple[str, ...] = ()
        self.ctx: Context | None = None

    def run(self, argv: list[str]) -> None:
        if argv in _START:
            from kubectl_ray.cli import help as pages

            self._page(pages.start())
            return
        if argv == ["--version"]:
            argv = ["version", "--client"]
        match, wants_help = self._match(argv)
        if match is None:
            return
        self.said = match.command.words
        module = load(match)
        from kubectl_ray.cli import parser as parsing

        parser = parsing.build(module, match.defaults)
        if wants_help:
            from kubectl_ray.cli import help as pages

            self._page(pages.command(match.command, module, parser))
            return
        args = parsing.parse(parser, module, match, argv)
        self.ctx = self._context(args)
        self.screen.configure(args)
        self.screen.expect("Asking the Kubernetes cluster …")
        self.screen.show(module.run(self.ctx, args))

    def close(self) -> None:
        if self.ctx is not None:
            for warning in self.ctx.warnings:
                self.screen.say(f"Warning: {warning}")
            self.ctx.close()

    def _page(self, text: str) -> None:
        self.screen.write(text)
        self.screen.flush()

    def _context(self, args: argparse.Namespace) -> Context:
        from kubectl_ray.context import Context
        from kubectl_ray.flags.connection import overrides

        ctx = Context(
            overrides=overrides(args),
            env=self.env,
            stdin=self.stdin,
            stderr=self.stderr,
            request_timeout=args.request_timeout,
            verbosity=args.verbosity,
            compression=not args.disable_compression,
            connect=self.connect,
            argv=self.argv,
            starter=self.starter,
        )
        ctx.before_talk = self.screen.clear
        return ctx

    def _match(self, argv: list[str]) -> tuple[Match | None, bool]:
        """The command that argv means; None when a page of help was the answer.

        Raises:
            WrongUse: no such command.
        """
        from kubectl_ray.cli import help as pages
        from kubectl_ray.cli.argv import take_apart
        from kubectl_ray.cli.parser import globally_known

        known = globally_known()
        parts = take_apart(argv, known.options, strict=False, complete=False)
        words = parts.words
        asked = parts.help
        if words and words[0][1] == "help":
            words, asked = words[1:], True
        match = grammar.find(words) or grammar.find([word for word in words if word[0] not in parts.doubtful])
        if match is not None:
            return match, asked
        said = [word for _place, word in words]
        if not said:
            self._page(pages.start())
        elif said == ["options"]:
            self._page(pages.options(known))
        elif grammar.is_group(said):
            self._page(pages.group(said))
        else:
            raise unknown(said)
        return None, True


def in_utf8(argv: Sequence[str]) -> list[str]:
    """The words as UTF-8, whatever the locale says: where that is plain C, Python hands bytes on as surrogates.

    Those behind the first `--` are left as they are: they may be a command's that is to get the same bytes.

    Raises:
        WrongUse: bytes that are no UTF-8; no name, label or file of ours can hold them.
    """
    words: list[str] = []
    for place, word in enumerate(argv):
        if word == "--":
            return [*words, *argv[place:]]
        try:
            words.append(word if word.isascii() else word.encode(errors="surrogateescape").decode())
        except UnicodeError:
            shown = word.encode(errors="surrogateescape").decode(errors="backslashreplace")
            raise WrongUse(f"'{shown}' is no text in UTF-8", hint="Set the terminal to UTF-8.") from None
    return words


def load(match: Match) -> ModuleType:
    """The chosen command's module, the only one that is imported."""
    from importlib import import_module

    return import_module(match.command.module)


def unknown(said: Sequence[str]) -> WrongUse:
    """The words lead nowhere: up to which one they did, and what is near the first one that does not."""
    from kubectl_ray.models.near import near

    depth = 0
    while depth < len(said) and grammar.is_group(said[: depth + 1]):
        depth += 1
    known = said[:depth]
    wrong = said[depth] if depth < len(said) else ""
    path = " ".join(["kubectl ray", *known])
    close = near(wrong, [*grammar.after(known), *(() if known else grammar.PAGES)])
    hint = (
        f"Did you mean: {' or '.join(f'{path} {word}' for word in close)}?"
        if close
        else f"See what there is:  {path} --help"
    )
    return WrongUse(f"{wrong!r} is no command of {path}", hint=hint)
