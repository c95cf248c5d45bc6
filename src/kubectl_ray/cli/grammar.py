"""The command tree as one table: words, the module that runs them, and every other way to say them.

A row is all that a new command needs here. The first words are what help shows; aliases are understood only.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any


class Alias:
    """Other words for a command, and the values its Args get when these were used.

    `other_plugin` is true behind the words of the Go plugin: its columns and lines are then wanted.
    """

    __slots__ = ("defaults", "words")

    def __init__(self, words: str, **defaults: Any) -> None:
        self.words = tuple(words.split())
        self.defaults = defaults


class Command:
    """One row: `words` as help shows them, `module` below kubectl_ray.commands, one line of help."""

    __slots__ = ("aliases", "help", "module", "words")

    def __init__(self, words: str, module: str, help: str, aliases: Iterable[Alias] = ()) -> None:  # noqa: A002 -- its column in the table
        self.words = tuple(words.split())
        self.module = f"kubectl_ray.commands.{module}"
        self.help = help
        self.aliases = tuple(aliases)


class Group:
    """Words that only lead to commands, as `cluster` does, and one line of help."""

    __slots__ = ("help", "words")

    def __init__(self, words: str, help: str) -> None:  # noqa: A002 -- as above
        self.words = tuple(words.split())
        self.help = help


def _other(*phrases: str) -> tuple[Alias, ...]:
    """The Go plugin's words; its `get` may be written `list`."""
    spelled = []
    for phrase in phrases:
        spelled.append(Alias(phrase, other_plugin=True))
        if phrase.startswith("get "):
            spelled.append(Alias("list " + phrase.removeprefix("get "), other_plugin=True))
    return tuple(spelled)


GROUPS = (
    Group("cluster", "Ray clusters: see, create, grow, shrink, remove"),
    Group("cluster worker-group", "the groups of workers of a Ray cluster"),
    Group("session", "sessions that are open on this machine; `cluster session` opens one"),
    Group("sandbox", "a Kubernetes cluster of your own on this machine, to try things on"),
)

#: Other spellings of a word, wherever it stands: `clusters list`, `cluster workergroup create`.
SPELLINGS = {
    "clusters": "cluster",
    "raycluster": "cluster",
    "rayclusters": "cluster",
    "workergroup": "worker-group",
    "workergroups": "worker-group",
    "worker-groups": "worker-group",
    "ls": "list",
    "rm": "delete",
    "node": "nodes",
}

COMMANDS = (
    Command("cluster list", "cluster.list", "list Ray clusters"),
    Command("cluster get", "cluster.get", "one Ray cluster, or all, as rows", _other("get cluster")),
    Command("cluster describe", "cluster.describe", "all about one Ray cluster, on a page"),
    Command("cluster nodes", "cluster.nodes", "the heads and workers of Ray clusters", _other("get nodes")),
    Command(
        "cluster session",
        "cluster.session",
        "use a Ray cluster from this machine: ray.init, its dashboard",
        _other("session"),
    ),
    Command("cluster dashboard", "cluster.dashboard", "show a Ray cluster's dashboard in the browser"),
    Command("cluster token", "cluster.token", "print the token that a Ray cluster asks for", _other("get token")),
    Command("cluster create", "cluster.create", "create a Ray cluster", _other("create cluster")),
    Command("cluster scale", "cluster.scale", "change how many workers a group has", _other("scale cluster")),
    Command("cluster delete", "cluster.delete", "delete Ray clusters", _other("delete", "delete cluster")),
    Command(
        "cluster worker-group list",
        "cluster.worker_group.list",
        "list the worker groups of Ray clusters",
        _other("get worker-group"),
    ),
    Command(
        "cluster worker-group create",
        "cluster.worker_group.create",
        "add a worker group to a Ray cluster",
        _other("create worker-group"),
    ),
    Command("session list", "session.list", "list the sessions that are open on this machine"),
    Command("session stop", "session.stop", "end sessions that are open on this machine"),
    Command("sandbox start", "sandbox.start", "start Kubernetes with KubeRay on this machine"),
    Command("sandbox status", "sandbox.status", "whether the sandbox runs, and what runs in it"),
    Command("sandbox logs", "sandbox.logs", "the log of the sandbox itself"),
    Command("sandbox stop", "sandbox.stop", "end the sandbox and all that runs in it"),
    Command("version", "version", "versions of this plugin, the KubeRay operator and Kubernetes"),
    Command("completion", "completion", "how to get completion in your shell"),
)

#: Words of the command line that are pages of help, not commands.
PAGES = {"help": "help for any command", "options": "the flags that every command takes"}


class Match:
    """What the words of a command line led to.

    `defaults` come from the alias used; `places` are the indexes of the words that were consumed.
    """

    __slots__ = ("command", "defaults", "places")

    def __init__(self, command: Command, defaults: Mapping[str, Any], places: Sequence[int]) -> None:
        self.command = command
        self.defaults = dict(defaults)
        self.places = tuple(places)


def spelled(words: Iterable[str]) -> tuple[str, ...]:
    """The words with each other spelling replaced: plural and singular, `workergroup`."""
    return tuple(SPELLINGS.get(word, word) for word in words)


def phrases(commands: Iterable[Command] = COMMANDS) -> dict[tuple[str, ...], tuple[Command, Mapping[str, Any]]]:
    """Every way to say every command, in spelling-free words."""
    table: dict[tuple[str, ...], tuple[Command, Mapping[str, Any]]] = {}
    for command in commands:
        table[spelled(command.words)] = (command, {})
        for alias in command.aliases:
            table[spelled(alias.words)] = (command, alias.defaults)
    return table


def find(words: Sequence[tuple[int, str]]) -> Match | None:
    """The command that the first words name, the longest phrase first; each word comes with its place in argv."""
    table = phrases()
    for length in range(min(3, len(words)), 0, -1):
        found = table.get(spelled(word for _place, word in words[:length]))
        if found is not None:
            command, defaults = found
            return Match(command, {"other_plugin": False, **defaults}, [place for place, _word in words[:length]])
    return None


def below(words: Sequence[str]) -> list[tuple[str, str]]:
    """The words that may follow `words` in canonical phrases, each with its help; in the table's order."""
    start = spelled(words)
    depth = len(start)
    found: dict[str, str] = {}
    for row in (*GROUPS, *COMMANDS):
        if row.words[:depth] == start and len(row.words) == depth + 1:
            found.setdefault(row.words[depth], row.help)
    return list(found.items())


def is_group(words: Sequence[str]) -> bool:
    """Do these words only lead to commands, canonical or not (`cluster`, `get`)?"""
    start = spelled(words)
    return any(len(phrase) > len(start) and phrase[: len(start)] == start for phrase in phrases())


def after(words: Sequence[str]) -> list[str]:
    """All words that may follow, those of aliases too: for completion and "did you mean"."""
    start = spelled(words)
    return sorted(
        {phrase[len(start)] for phrase in phrases() if phrase[: len(start)] == start and len(phrase) > len(start)}
    )
