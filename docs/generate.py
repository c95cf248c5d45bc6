"""Writes docs/reference from the grammar: a page for each command, for connection flags, defaults and exit codes.

`python docs/generate.py` rewrites the pages; a contract test holds them against what this would write.
"""  # noqa: INP001 -- a script

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_ray import errors
from kubectl_ray.cli import grammar, parser
from kubectl_ray.cli.help import PROGRAM, placeholder
from kubectl_ray.manifests import defaults

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_ray.cli.grammar import Command
    from kubectl_ray.cli.parser import Parser

REFERENCE = Path(__file__).parent / "reference"
_GENERATED = "<!-- Written by docs/generate.py from the grammar: change it there, then run `make docs`. -->\n"


def pages() -> dict[str, str]:
    """Every page: its path below docs/reference, and its text."""
    found = {f"{'-'.join(command.words)}.md": _command(command) for command in grammar.COMMANDS}
    found["connection-flags.md"] = _connection()
    found["defaults.md"] = _defaults()
    found["exit-codes.md"] = _exit_codes()
    found["index.md"] = _index()
    return {name: _GENERATED + "\n" + text.rstrip("\n") + "\n" for name, text in found.items()}


def write() -> None:
    """Write them all, and remove pages of commands that are gone."""
    REFERENCE.mkdir(exist_ok=True)
    wanted = pages()
    for old in REFERENCE.glob("*.md"):
        if old.name not in wanted and old.read_text(encoding="utf-8").startswith(_GENERATED):
            old.unlink()
    for name, text in wanted.items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


def _index() -> str:
    lines = ["# Reference", "", "| command | |", "|---|---|"]
    lines += [f"| [`{' '.join(c.words)}`]({'-'.join(c.words)}.md) | {c.help} |" for c in grammar.COMMANDS]
    lines += ["", "[Connection flags](connection-flags.md) · [Defaults](defaults.md) · [Exit codes](exit-codes.md)"]
    return "\n".join(lines)


def _command(command: Command) -> str:
    module = import_module(command.module)
    built = parser.build(module, {"other_plugin": False})
    usage = " ".join([PROGRAM, *command.words, *map(placeholder, built.positionals), "[flags]"])
    lines = [f"# {PROGRAM} {' '.join(command.words)}", "", (module.__doc__ or "").strip(), ""]
    lines += ["```sh", usage, "```", "", "## Examples", "", "```sh", *_dedented(module.EXAMPLES), "```"]
    words = [action for action in built.positionals if action.help]
    if words:
        lines += ["", "## Words", "", "| word | |", "|---|---|"]
        lines += [f"| `{placeholder(action)}` | {_cell(action.help)} |" for action in words]
    for title, actions in _sections(built):
        lines += ["", f"## {title}", "", *_flags(actions)]
    lines += ["", "And the [connection flags](connection-flags.md)."]
    if command.aliases:
        phrases = ", ".join(f"`{PROGRAM} {' '.join(alias.words)}`" for alias in command.aliases)
        lines += ["", "## Other words", "", f"As the other Ray plugin has them, with its output: {phrases}."]
    return "\n".join(lines)


def _connection() -> str:
    known = parser.globally_known()
    actions = [
        action for title, found in _sections(known, connection=True) if title == "Connection" for action in found
    ]
    lines = [
        "# Connection flags",
        "",
        "They may stand anywhere after `ray`, on every command, and mean what they mean to",
    ]
    lines += ["kubectl. Only `--cluster` differs: it is the Ray cluster, and kubectl's own is `--kube-cluster`.", ""]
    return "\n".join([*lines, *_flags(actions)])


def _defaults() -> str:
    why = (defaults.__doc__ or "").partition("\n\n")[2].strip()
    lines = ["# Defaults", "", "What is taken where neither a flag nor the file says anything.", ""]
    lines += ["| what | flag | default |", "|---|---|---|"]
    lines += [f"| {what} | {f'`{flag}`' if flag else ''} | {value} |" for what, flag, value in defaults.TABLE]
    return "\n".join([*lines, "", why])


def _exit_codes() -> str:
    lines = ["# Exit codes", "", "| code | when |", "|---|---|", "| 0 | what was asked for is so |"]
    by_code: dict[int, list[str]] = {}
    for _name, error in inspect.getmembers(errors, inspect.isclass):
        assert issubclass(error, errors.KubectlRayError)  # noqa: S101 -- the module holds nothing else
        text = (error.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        by_code.setdefault(error.exit_code, []).append(text[0].lower() + text[1:])
    by_code[1] = ["anything else went wrong"]
    lines += [f"| {code} | {'; or '.join(texts)} |" for code, texts in sorted(by_code.items())]
    lines += ["| 130, 143 | ended by Ctrl-C (SIGINT), by SIGTERM: as shells show it |"]
    return "\n".join(lines)


def _sections(built: Parser, *, connection: bool = False) -> Iterator[tuple[str, list[argparse.Action]]]:
    for number, group in enumerate(built.groups):
        actions = [action for action in group._group_actions if action.option_strings]  # noqa: SLF001 -- as cli/help.py
        title = "Flags" if number == 1 else str(group.title)
        if actions and number >= 1 and (connection or title != "Connection"):
            yield title, actions


def _flags(actions: Iterable[argparse.Action]) -> list[str]:
    """A table with every spelling of every flag."""
    lines = ["| flag | |", "|---|---|"]
    for action in actions:
        value = action.metavar if isinstance(action.metavar, str) else "|".join(map(str, action.choices or ()))
        value = value or action.dest.upper()
        shown = "" if action.nargs == 0 else f"[={value}]" if action.nargs == "?" else f" {value}"
        names = ", ".join(f"`{_cell(name + shown)}`" for name in _spellings(action))
        lines.append(f"| {names} | {_cell(action.help)} |")
    return lines


def _spellings(action: argparse.Action) -> Sequence[str]:
    return sorted(action.option_strings, key=lambda name: name.startswith("--"))


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


def _dedented(text: str) -> list[str]:
    return [line.removeprefix("  ") for line in text.strip("\n").splitlines()]


if __name__ == "__main__":
    write()
