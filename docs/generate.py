"""Writes docs/reference: a page for each command, for connection flags, defaults, output, statuses and exit codes.

`python docs/generate.py` rewrites the pages; a contract test holds them against what this would write.
"""  # noqa: INP001 -- a script

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_ray import errors
from kubectl_ray.cli import grammar, parser
from kubectl_ray.cli.help import PROGRAM, has_other_lines, placeholder, usage
from kubectl_ray.manifests import defaults
from kubectl_ray.models import health
from kubectl_ray.views import clusters, nodes, sessions, worker_groups

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_ray.cli.grammar import Command
    from kubectl_ray.cli.parser import Parser
    from kubectl_ray.results import Column

REFERENCE = Path(__file__).parent / "reference"
_GENERATED = "<!-- Written by docs/generate.py from the sources: change them, then run `make docs`. -->\n"

_OUTPUT = """\
# Output

The answer goes to stdout, everything else (progress, remarks, questions, errors) to stderr.

## Formats

| `-o` | `list`, `get`, `nodes`, `worker-group list` | `create`, `scale`, `worker-group create` |
|---|---|---|
| none, `table` | rows | what was done, in words (`table` is no word here) |
| `wide` | rows with more columns | |
| `json`, `yaml` | the Kubernetes object; several as a `List` | the object that was sent, as the server has it |
| `name` | `raycluster.ray.io/NAME` | the same |
| `jsonpath=EXPRESSION` | kubectl's JSONPath over the object or `List` | |
| `custom-columns=TITLE:PATH,…` | a table of your own | |

`json` and `yaml` are byte for byte what kubectl would write for the same object. Nodes are pods: their `name` is
`pod/NAME`. Worker groups are parts of a RayCluster, not objects: `json`, `yaml`, `jsonpath` and `custom-columns` see
the group as the RayCluster's spec has it, and `name` prints `workergroup/NAME`. `version` has `-o json|yaml`.
`describe` and `delete` have no `-o`. Sessions are no Kubernetes objects: `session list -o json|yaml` is a `List` of
plain ones, with `type`, `name`, `namespace`, `context`, `server`, `cluster`, `ports`, `urls`, `addresses`, `since`,
`pid`, `host`, `background` and `log`; `-o name` prints `TYPE/NAME`, which `session stop` takes.

With `--dry-run=client` and no `-o`, `create` prints YAML. The alias words of the other `kubectl ray` plugin print its
columns and lines; with `-o` there is no difference.
"""
_TABLES = (
    ("Ray clusters: `cluster list`, `cluster get`", clusters.COLUMNS),
    ("Nodes: `cluster nodes`", nodes.COLUMNS),
    ("Worker groups: `cluster worker-group list`", worker_groups.COLUMNS),
    ("Open sessions: `session list`", sessions.COLUMNS),
)
_CELLS = """\
`WORKERS` is ready/desired. CPUs, GPUs, TPUs and memory are what is reserved: of a Ray cluster the head and all desired
workers together, of a worker group and a node each for itself. `<none>` is nothing; `<no permission>` is what your
login may not see; `?/5` has not been counted (a list of more than 300 clusters). `STATUS` has
[a page of its own](statuses.md)."""


def pages() -> dict[str, str]:
    """Every page: its path below docs/reference, and its text."""
    found = {f"{'-'.join(command.words)}.md": _command(command) for command in grammar.COMMANDS}
    found["connection-flags.md"] = _connection()
    found["defaults.md"] = _defaults()
    found["exit-codes.md"] = _exit_codes()
    found["output.md"] = _output()
    found["statuses.md"] = _statuses()
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
    lines += ["", "[Connection flags](connection-flags.md) · [Login](login.md) · [Defaults](defaults.md) ·"]
    lines += ["[Output](output.md) · [What a session tells a program](session-changes.md) ·"]
    lines += ["[Statuses](statuses.md) · [Exit codes](exit-codes.md)"]
    return "\n".join(lines)


def _command(command: Command) -> str:
    module = import_module(command.module)
    built = parser.build(module, {"other_plugin": False})
    lines = [f"# {PROGRAM} {' '.join(command.words)}", "", (module.__doc__ or "").strip(), ""]
    lines += [
        "```sh",
        usage(command, module, built),
        "```",
        "",
        "## Examples",
        "",
        "```sh",
        *_dedented(module.EXAMPLES),
        "```",
    ]
    words = [action for action in built.positionals if action.help]
    if words:
        lines += ["", "## Words", "", "| word | |", "|---|---|"]
        lines += [f"| `{placeholder(action)}` | {_cell(action.help)} |" for action in words]
    for title, actions in _sections(built):
        lines += ["", f"## {title}", "", *_flags(actions)]
    lines += ["", "And the [connection flags](connection-flags.md)."]
    if command.aliases:
        phrases = ", ".join(f"`{PROGRAM} {' '.join(alias.words)}`" for alias in command.aliases)
        output = ", with its output" if has_other_lines(module) else ""
        lines += ["", "## Other words", "", f"As the other Ray plugin has them{output}: {phrases}."]
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


def _output() -> str:
    lines = [_OUTPUT, "## Columns", "", "| table | always | with `-o wide` |", "|---|---|---|"]
    for title, columns in _TABLES:
        lines.append(f"| {title} | {_titles(columns, wide=False)} | {_titles(columns, wide=True)} |")
    return "\n".join(
        [*lines, "", "Where there is `-A` it puts NAMESPACE in front, `--show-labels` LABELS at the end.", _CELLS]
    )


def _titles(columns: Iterable[Column], *, wide: bool) -> str:
    return ", ".join(column.title for column in columns if column.wide == wide)


def _statuses() -> str:
    """The table of models/health.py, which has to have every word once."""
    title, _, rest = (health.__doc__ or "").partition("\n\n")
    rows = dict(re.findall(r"^`(\S+)` {2,}(.+)$", rest, re.MULTILINE))
    assert tuple(rows) == health.WORDS  # noqa: S101 -- a page without a word would be wrong
    lines = ["# Statuses", "", title, "", "| status | what it means |", "|---|---|"]
    lines += [f"| `{word}` | {meaning} |" for word, meaning in rows.items()]
    lines += ["", f"A cluster without any status is `{health.STARTING}` for its first {health.NEW:.0f} seconds."]
    lines += ["`REASON` (with `-o wide`) has Kubernetes' own word for what is wrong, where there is one."]
    return "\n".join([*lines, "Why not simply what the operator says: [truth](../explanation/truth.md)."])


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
