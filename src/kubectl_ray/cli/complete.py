"""`kubectl_complete-ray`: what may stand at the cursor, from the same table and the same flags that run commands.

kubectl calls it with the words after `ray`, the last of which is being typed, and reads one candidate a line, a tab
and its help behind, then `:N`, the sum of cobra's directives. Source: kubectl's pkg/cmd/plugin/plugin_completion.go and
cobra's completions.go.
"""

from __future__ import annotations

import gc
import os
import sys

from kubectl_ray.cli import grammar
from kubectl_ray.errors import KubectlRayError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kubectl_ray.cli.argv import Parts
    from kubectl_ray.cli.parser import Parser
    from kubectl_ray.context import Context
    from kubectl_ray.kube.client import Client

#: cobra's ShellCompDirective: the values that are used here.
FILES, NO_SPACE, NO_FILES, DIRECTORIES = 0, 2, 4, 16

#: The whole of a completion with live names ends after this many seconds, with whatever is known.
PATIENCE = 2.0


class Candidates:
    """What may stand at the cursor, with its help, and what the shell is to do beyond that."""

    __slots__ = ("directive", "found")

    def __init__(self, found: Iterable[tuple[str, str]] = (), directive: int = NO_FILES) -> None:
        self.found = list(found)
        self.directive = directive

    def text(self, typed: str) -> str:
        """The lines for kubectl: those that begin as what was typed, each once."""
        shown: dict[str, str] = {}
        for name, text in self.found:
            if name.startswith(typed) and name.isprintable():
                shown.setdefault(name, text)
        directive = self.directive
        if shown and all(name.endswith(("=", "/")) for name in shown):
            directive |= NO_SPACE
        lines = [f"{name}\t{text}" if text else name for name, text in shown.items()]
        return "\n".join([*lines, f":{directive}"]) + "\n"


def entry() -> None:
    """`kubectl_complete-ray`: never an error, never a traceback: the shell would show it in the middle of the line."""
    gc.disable()
    _no_longer_than(PATIENCE)
    try:
        text = complete(sys.argv[1:], os.environ)
        sys.stdout.write(text)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt):
        if os.environ.get("KUBECTL_RAY_DEBUG"):
            raise
    # Whatever still waits for the API server is not waited for.
    os._exit(0)


def _no_longer_than(seconds: float) -> None:
    """End the process then, whatever it waits for (an exec plugin, a server that does not answer)."""
    import signal

    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda _number, _frame: os._exit(0))
        signal.setitimer(signal.ITIMER_REAL, seconds)


def complete(words: Sequence[str], env: Mapping[str, str], connect: Callable[[Context], Client] | None = None) -> str:
    """The answer for these words, the last of which is being typed."""
    *before, typed = words or [""]
    if "--" in before:
        return Candidates(directive=FILES).text("")
    from kubectl_ray.cli import argv as command_line
    from kubectl_ray.cli import parser as parsing

    known = parsing.globally_known()
    parts = command_line.take_apart(before, known.options, strict=False, complete=False)
    said = parts.words[1:] if parts.words and parts.words[0][1] == "help" else parts.words
    match = grammar.find(said)
    parser: Parser = known
    if match is not None:
        from kubectl_ray.cli.main import load

        parser = parsing.build(load(match), match.defaults)
        parts = command_line.take_apart(before, parser.options, strict=False, complete=False)
    words_left = [each for each in parts.words if match is None or each[0] not in match.places]
    line = _Line(parser, parts, words_left, env, connect)
    awaited = _awaits_value(before, parser.options)
    if awaited is not None:
        return line.values(awaited, typed).text(typed)
    if typed.startswith("-"):
        flag, equals, value = typed.partition("=")
        action = parser.options.get(command_line.long_form(flag, parser.options))
        if equals and action is not None:
            return line.values(action, value).text(value)
        return line.flags().text(typed)
    if match is None:
        return _words([word for _place, word in said], typed).text(typed)
    found = line.positional([word for _place, word in words_left], typed)
    if not words_left:  # `session` is a command in the other plugin's words, and leads to others in ours
        found.found = [*grammar.below([word for _place, word in said]), *found.found]
    return found.text(typed)


def _awaits_value(before: Sequence[str], options: Mapping[str, argparse.Action]) -> argparse.Action | None:
    """The flag that stands last and whose value is being typed."""
    from kubectl_ray.cli.argv import take_apart

    if not before or not before[-1].startswith("-") or "=" in before[-1]:
        return None
    alone = take_apart(before[-1:], options, strict=False, complete=False)
    action = options.get(f"-{before[-1]}") if not before[-1].startswith("--") else None
    action = action or options.get(before[-1])
    if action is None and len(before[-1]) > 1 and not before[-1].startswith("--"):
        action = options.get(f"-{before[-1][-1]}")
    return action if action is not None and action.nargs is None and not alone.flags else None


def _words(said: Sequence[str], typed: str) -> Candidates:
    """Words of commands; the other spellings only when no canonical word begins as what was typed."""
    found = grammar.below(said)
    if not said:
        found += list(grammar.PAGES.items())
    if not any(word.startswith(typed) for word, _help in found):
        found = [(word, "") for word in grammar.after(said)]
    return Candidates(found)


class _Line:
    """A command line whose command is known, or only its connection flags."""

    def __init__(
        self,
        parser: Parser,
        parts: Parts,
        words: Sequence[tuple[int, str]],
        env: Mapping[str, str],
        connect: Callable[[Context], Client] | None,
    ) -> None:
        self.parser = parser
        self.parts = parts
        self.words = words
        self.env = env
        self.connect = connect

    def flags(self) -> Candidates:
        """The command's flags, one spelling each, less those given already."""
        given = {flag.partition("=")[0] for flag in self.parts.flags}
        found = []
        for action in dict.fromkeys(self.parser.options.values()):
            spellings = set(action.option_strings)
            if not spellings & given or isinstance(action.default, list):
                longs = [name for name in action.option_strings if name.startswith("--")]
                found.append(((longs or list(action.option_strings))[0], _first_line(action.help)))
        found.append(("--help", "help for this command"))
        return Candidates(found)

    def positional(self, before: Sequence[str], typed: str) -> Candidates:
        """The values of the word that comes next; those `before` it are not proposed again."""
        actions = self.parser.positionals
        place = min(len(before), len(actions) - 1)
        if place < 0 or (len(before) >= len(actions) and actions[-1].nargs not in {"*", "+"}):
            return Candidates()
        values = self.values(actions[place], typed)
        return Candidates([each for each in values.found if each[0] not in before], values.directive)

    def values(self, action: argparse.Action, typed: str) -> Candidates:
        """The values of a flag or a word, of which this much is typed: fixed ones, files, or live names."""
        kind = vars(action).get("completes", "")
        if kind == "file":
            return Candidates(directive=FILES)
        if kind == "directory":
            return Candidates(directive=DIRECTORIES)
        fixed = vars(action).get("offers") or action.choices
        if fixed:
            return Candidates((str(value), "") for value in fixed)
        if kind:
            from kubectl_ray.cli.live_names import names

            try:
                return Candidates((name, "") for name in names(kind, self._args(), self.env, self.connect, typed))
            except (KubectlRayError, OSError):
                return Candidates()
        return Candidates()

    def _args(self) -> argparse.Namespace:
        """The flags typed so far, unread, and the cluster that is named as a word."""
        import argparse

        args = argparse.Namespace()
        for action in self.parser.options.values():
            vars(args).setdefault(action.dest, action.default)
        by_name = self.parser.options
        for written in self.parts.flags:
            name, _equals, value = written.partition("=")
            action = by_name[name]
            if action.nargs is None:
                several = isinstance(action.default, list)
                vars(args)[action.dest] = [*vars(args)[action.dest], value] if several else value
            elif action.nargs == 0:
                vars(args)[action.dest] = action.const
        words = [word for _place, word in self.words]
        for action, word in zip(self.parser.positionals, words, strict=False):
            if vars(action).get("completes") == "cluster" and not getattr(args, "cluster", None):
                args.cluster = word
        return args


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]
