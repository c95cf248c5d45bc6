"""Help pages, 80 columns wide: what a command is for, how it is written, examples, its flags in groups."""

from __future__ import annotations

from kubectl_ray.cli import grammar

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence
    from types import ModuleType

    from kubectl_ray.cli.grammar import Command
    from kubectl_ray.cli.parser import Parser

WIDTH = 80
PROGRAM = "kubectl ray"
_INDENT = 2
_WIDEST_NAME = 30

_START = f"""\
See, create, grow, shrink and remove Ray clusters on Kubernetes.

Start here:
  {PROGRAM} cluster create my-cluster --worker-replicas=2
  {PROGRAM} cluster list
  {PROGRAM} cluster describe my-cluster
  {PROGRAM} cluster delete my-cluster

No Kubernetes at hand? This gives you one on this machine:
  {PROGRAM} sandbox start
"""
_MORE = f"""
More:
  {PROGRAM} COMMAND --help   what a command does, its flags, examples
  {PROGRAM} options          the connection flags that every command takes
"""


def start() -> str:
    """The page behind `kubectl ray` alone."""
    rows = [(" ".join(command.words), command.help) for command in grammar.COMMANDS]
    return _START + "\nCommands:\n" + _table(rows) + _MORE


def group(words: Sequence[str]) -> str:
    """The page behind words that only lead to commands: `cluster`, or `get` of the Go plugin."""
    canonical = grammar.spelled(words)
    named = next((row for row in grammar.GROUPS if row.words == canonical), None)
    if named is not None:
        rows = [(" ".join(row.words), row.help) for row in grammar.COMMANDS if row.words[: len(canonical)] == canonical]
        title = named.help[0].upper() + named.help[1:] + "."
    else:
        rows = [
            (" ".join(phrase), f"same as {' '.join(command.words)}")
            for phrase, (command, _defaults) in grammar.phrases().items()
            if phrase[: len(canonical)] == canonical
        ]
        title = f"`{' '.join(words)}` is understood as the other Ray plugin has it."
    more = f"\n{PROGRAM} COMMAND --help shows what a command does, its flags and examples.\n"
    return f"{title}\n\nUsage:\n  {PROGRAM} {' '.join(words)} COMMAND\n\nCommands:\n{_table(rows)}{more}"


def command(row: Command, module: ModuleType, parser: Parser) -> str:
    """The page of one command."""
    return "\n".join(_command(row, module, parser)) + "\n"


def options(parser: Parser) -> str:
    """The page of the connection flags."""
    lines = ["These flags may stand anywhere after `ray`, on every command.", ""]
    lines += [_flags(_of(parser, connection=True)).rstrip("\n")]
    note = "--cluster, -c is always the Ray cluster. What kubectl calls --cluster is --kube-cluster here."
    return "\n".join([*lines, "", *fill(note, WIDTH)]) + "\n"


def _command(row: Command, module: ModuleType, parser: Parser) -> Iterator[str]:
    yield from paragraphs(module.__doc__ or "")
    yield "Usage:"
    yield f"  {usage(row, module, parser)}"
    yield ""
    yield "Examples:"
    for line in module.EXAMPLES.strip("\n").splitlines():
        yield from _example(line.rstrip())
    named = [action for action in parser.positionals if action.help]
    if named:
        yield ""
        yield "Words:"
        yield _table([(placeholder(action), action.help or "") for action in named]).rstrip("\n")
    for title, actions in _sections(parser):
        yield ""
        yield f"{title}:"
        yield _flags(actions).rstrip("\n")
    yield ""
    yield f"Connection flags (-n, --context, --kubeconfig, …): {PROGRAM} options"
    if row.aliases:
        phrases = ", ".join(" ".join(alias.words) for alias in row.aliases)
        lines = ", with the other Ray plugin's output" if has_other_lines(module) else ""
        yield from fill(f"Also understood{lines}: {phrases}", WIDTH)


def has_other_lines(module: ModuleType) -> bool:
    """Does the command answer as the other Ray plugin does, behind its words?"""
    return any("other_plugin" in getattr(kind, "__annotations__", ()) for kind in module.Args.__mro__)


def usage(row: Command, module: ModuleType, parser: Parser) -> str:
    """How the command is written, on one line."""
    rest = ["[-- COMMAND...]"] if "rest" in getattr(module.Args, "__annotations__", ()) else []
    return " ".join([PROGRAM, *row.words, *map(placeholder, parser.positionals), "[flags]", *rest])


def placeholder(action: argparse.Action) -> str:
    """A positional as usage shows it: NAME, [NAME], NAME..., [NAME...]."""
    name = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if name.startswith("["):  # [TYPE/]NAME: what may be left out stands there already
        return name
    return {"?": f"[{name}]", "*": f"[{name}...]", "+": f"{name}..."}.get(str(action.nargs), name)


def flag(action: argparse.Action) -> str:
    """A flag as help shows it: `-o, --output FORMAT`, the short form first, one long spelling."""
    shorts = [name for name in action.option_strings if not name.startswith("--")]
    longs = [name for name in action.option_strings if name.startswith("--")]
    names = ", ".join(shorts + longs[:1])
    if not shorts:
        names = "    " + names
    if action.nargs == 0:
        return names
    value = action.metavar if isinstance(action.metavar, str) else ""
    value = value or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    return f"{names}[={value}]" if action.nargs == "?" else f"{names} {value}"


def _sections(parser: Parser) -> Iterator[tuple[str, list[argparse.Action]]]:
    """The command's own flags first, then the groups in the order in which they were added."""
    own = _of(parser, own=True)
    if own:
        yield "Flags", own
    for each in parser.groups[2:]:
        actions = [action for action in each._group_actions if action.option_strings]  # noqa: SLF001 -- no other way
        if actions and each.title != _connection_title():
            yield str(each.title), actions


def _of(parser: Parser, *, own: bool = False, connection: bool = False) -> list[argparse.Action]:
    """The flags without a group of their own, or those of the connection."""
    for number, each in enumerate(parser.groups):
        if (own and number == 1) or (connection and each.title == _connection_title()):
            return [action for action in each._group_actions if action.option_strings]  # noqa: SLF001 -- no other way
    return []


def _connection_title() -> str:
    from kubectl_ray.flags.connection import TITLE

    return TITLE


def _flags(actions: Iterable[argparse.Action]) -> str:
    return _table([(flag(action), action.help or "") for action in actions])


def _table(rows: Sequence[tuple[str, str]]) -> str:
    """Names and their help in two columns; a name too long for its column has its help below."""
    fitting = [len(name) for name, _help in rows if len(name) <= _WIDEST_NAME]
    column = _INDENT + max(fitting, default=0) + 3
    lines = []
    for name, text in rows:
        wrapped = fill(text, WIDTH - column) or [""]
        if len(name) > _WIDEST_NAME:
            lines.append(" " * _INDENT + name)
        else:
            first, *wrapped = wrapped
            lines.append(" " * _INDENT + name.ljust(column - _INDENT) + first)
        lines += [" " * column + line for line in wrapped]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def paragraphs(text: str) -> Iterator[str]:
    """Running text filled to the width, a blank line at the end; indented lines stay as they are."""
    held: list[str] = []
    for line in [*text.strip("\n").splitlines(), ""]:
        if line.strip() and not line.startswith(" "):
            held.append(line)
            continue
        yield from fill(" ".join(held), WIDTH)
        held = []
        yield line.rstrip()


def fill(text: str, width: int) -> list[str]:
    """Words on lines of at most `width`; a longer word stands alone. The standard library's costs 2 ms to import."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _example(line: str) -> Iterator[str]:
    """A line of an example; a longer command goes on below after a backslash, ready to be copied."""
    margin = line[: len(line) - len(line.lstrip())]
    while len(line) > WIDTH:
        cut = line.rfind(" -", 0, WIDTH - 1)
        if line.lstrip().startswith("#") or cut <= len(margin):
            break
        yield f"{line[:cut]} \\"
        line = f"{margin}  {line[cut + 1 :]}"
    yield line
