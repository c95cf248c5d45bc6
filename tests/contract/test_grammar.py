"""The whole grammar as one table: a command line, the command that it means, and its Args."""

from __future__ import annotations

import shlex
from importlib import import_module
from typing import Any

import pytest

from kubectl_ray.cli import grammar
from kubectl_ray.cli.argv import take_apart
from kubectl_ray.cli.parser import Parser, build, globally_known, parse
from kubectl_ray.flags.connection import add_connection
from kubectl_ray.flags.output import Output


def meant(line: str) -> tuple[str, dict[str, Any]]:
    """The command's module, and those of its Args that are not the defaults of its first words."""
    argv = shlex.split(line)
    parts = take_apart(argv, globally_known().options, strict=False, complete=False)
    match = grammar.find(parts.words) or grammar.find([word for word in parts.words if word[0] not in parts.doubtful])
    assert match is not None, line
    module = import_module(match.command.module)
    parser = build(module, match.defaults)
    args = parse(parser, module, match, argv)
    assert type(args) is module.Args
    defaults = {action.dest: action.default for action in parser.options.values() if action.dest != "help"}
    defaults |= {action.dest: [] if action.nargs == "*" else None for action in parser.positionals}
    defaults |= {"other_plugin": False, "rest": None}
    changed = {name: value for name, value in vars(args).items() if value != defaults[name]}
    return match.command.module.removeprefix("kubectl_ray.commands."), changed


THEIRS = {"other_plugin": True}

TABLE: list[tuple[str, str, dict[str, Any]]] = [
    # list, get, describe, nodes
    ("cluster list", "cluster.list", {}),
    ("clusters list", "cluster.list", {}),
    ("cluster ls", "cluster.list", {}),
    ("cluster list -A", "cluster.list", {"all_namespaces": True}),
    ("-A cluster list", "cluster.list", {"all_namespaces": True}),
    ("-n foo --context x cluster list", "cluster.list", {"namespace": "foo", "context": "x"}),
    ("cluster -n foo list", "cluster.list", {"namespace": "foo"}),
    ("cluster list -nfoo", "cluster.list", {"namespace": "foo"}),
    ("cluster list --namespace=foo", "cluster.list", {"namespace": "foo"}),
    ("cluster list -namespace foo", "cluster.list", {"namespace": "foo"}),
    ("cluster list -ojson", "cluster.list", {"output": Output("json")}),
    ("cluster list -o=json", "cluster.list", {"output": Output("json")}),
    ("-o json cluster list", "cluster.list", {"output": Output("json")}),
    ("cluster list -output=wide", "cluster.list", {"output": Output("wide")}),
    ("cluster list -o jsonpath='{.a[*]}{.b}'", "cluster.list", {"output": Output("jsonpath", "{.a[*]}{.b}")}),
    ("cluster list -o custom-columns=N:.a", "cluster.list", {"output": Output("custom-columns", "N:.a")}),
    ("cluster list -lteam=vision,!old", "cluster.list", {"selector": "team=vision,!old"}),
    ("cluster list --field-selector metadata.name=x", "cluster.list", {"field_selector": "metadata.name=x"}),
    ("cluster list --mine -w", "cluster.list", {"mine": True, "watch": True}),
    ("cluster list -Aw --no-headers --show-labels", "cluster.list",
     {"all_namespaces": True, "watch": True, "no_headers": True, "show_labels": True}),
    ("cluster list --sort-by=.metadata.name", "cluster.list", {"sort_by": ".metadata.name"}),
    ("cluster list -v", "cluster.list", {"verbosity": 1}),
    ("cluster list -v=3", "cluster.list", {"verbosity": 3}),
    ("cluster list -v 6", "cluster.list", {"verbosity": 6}),
    ("cluster list --as jane --as-group a --as-group=b", "cluster.list", {"as_": "jane", "as_groups": ["a", "b"]}),
    ("cluster list --request-timeout=5s", "cluster.list", {"request_timeout": 5.0}),
    ("cluster get", "cluster.get", {}),
    ("cluster get a b", "cluster.get", {"names": ["a", "b"]}),
    ("cluster -v get a", "cluster.get", {"names": ["a"], "verbosity": 1}),
    ("cluster get -- -a", "cluster.get", {"names": ["-a"]}),
    ("get cluster", "cluster.get", THEIRS),
    ("get clusters -A", "cluster.get", {**THEIRS, "all_namespaces": True}),
    ("list clusters x", "cluster.get", {**THEIRS, "names": ["x"]}),
    ("get raycluster x", "cluster.get", {**THEIRS, "names": ["x"]}),
    ("cluster describe x", "cluster.describe", {"name": "x"}),
    ("cluster nodes", "cluster.nodes", {}),
    ("cluster nodes x", "cluster.nodes", {"name": "x"}),
    ("get node n -c x", "cluster.nodes", {**THEIRS, "name": "n", "cluster": "x"}),
    ("get nodes --ray-cluster x", "cluster.nodes", {**THEIRS, "cluster": "x"}),
    # session, dashboard, token
    ("cluster session x", "cluster.session", {"name": "x"}),
    ("cluster session rayjob/x -n foo", "cluster.session", {"name": "rayjob/x", "namespace": "foo"}),
    ("session raycluster/x", "cluster.session", {**THEIRS, "name": "raycluster/x"}),
    ("session", "cluster.session", THEIRS),
    ("cluster session x --port dashboard=9000 --port client=0 --ports=client,serve", "cluster.session",
     {"name": "x", "port": [("dashboard", 9000), ("client", 0)], "ports": ["client", "serve"]}),
    ("cluster session x --ports all --address 10.0.0.1 --open -o json", "cluster.session",
     {"name": "x", "ports": ["client", "dashboard", "serve", "metrics"], "address": [("10.0.0.1",)], "open": True,
      "output": "json"}),
    ("cluster session x --background --timeout 5m", "cluster.session",
     {"name": "x", "background": True, "timeout": 300.0}),
    ("cluster session x -- python -c 'a b' -- --port x -o json", "cluster.session",
     {"name": "x", "rest": ["python", "-c", "a b", "--", "--port", "x", "-o", "json"]}),
    ("cluster dashboard x", "cluster.dashboard", {"name": "x"}),
    ("cluster dashboard x --print-url --port 9000 --address localhost", "cluster.dashboard",
     {"name": "x", "print_url": True, "port": 9000, "address": [("127.0.0.1", "::1")]}),
    ("cluster dashboard x --no-open", "cluster.dashboard", {"name": "x", "print_url": True}),
    ("cluster token x", "cluster.token", {"name": "x"}),
    ("get token x", "cluster.token", {**THEIRS, "name": "x"}),
    # create
    ("cluster create x", "cluster.create", {"name": "x"}),
    ("cluster create x --worker-replicas=10 --worker-cpus=8 -worker-memory=32GB --worker-gpus=2 --ray-version=2.9.3",
     "cluster.create",
     {"name": "x", "worker_replicas": "10", "worker_cpus": "8", "worker_memory": "32GB", "worker_gpus": "2",
      "ray_version": "2.9.3"}),
    ("cluster create x -worker-replicas=10", "cluster.create", {"name": "x", "worker_replicas": "10"}),
    ("--worker-replicas 2 cluster create x", "cluster.create", {"name": "x", "worker_replicas": "2"}),
    ("cluster create x --worker-cpu 8", "cluster.create", {"name": "x", "worker_cpus": "8"}),
    ("cluster create --no-wait x", "cluster.create", {"name": "x", "wait": False}),
    ("cluster create x --wait=false", "cluster.create", {"name": "x", "wait": False}),
    ("cluster create x --timeout 1h30m", "cluster.create", {"name": "x", "timeout": 5400.0}),
    ("cluster create --dry-run x", "cluster.create", {"name": "x", "dry_run": "client"}),
    ("cluster create x --dry-run=server -o yaml", "cluster.create",
     {"name": "x", "dry_run": "server", "output": "yaml"}),
    ("cluster create x --dry-run=true", "cluster.create", {"name": "x", "dry_run": "client"}),
    ("cluster create -f x.yaml", "cluster.create", {"file": "x.yaml"}),
    ("cluster create --filename=-", "cluster.create", {"file": "-"}),
    ("create cluster x --dry-run --wait --worker-memory 4Gi", "cluster.create",
     {**THEIRS, "name": "x", "dry_run": "client", "worker_memory": "4Gi"}),
    # scale
    ("cluster scale g --cluster x --replicas 3", "cluster.scale", {"group": "g", "cluster": "x", "replicas": 3}),
    ("cluster scale -c x --min-replicas=1 --max-replicas=5", "cluster.scale",
     {"cluster": "x", "min_replicas": 1, "max_replicas": 5}),
    ("scale cluster x -w g -r 3", "cluster.scale", {**THEIRS, "group": "x", "worker_group": "g", "replicas": 3}),
    # delete
    ("cluster delete a b --yes", "cluster.delete", {"names": ["a", "b"], "yes": True}),
    ("cluster rm a -y", "cluster.delete", {"names": ["a"], "yes": True}),
    ("cluster delete --all -yes", "cluster.delete", {"all": True, "yes": True}),
    ("cluster delete -l team=x --dry-run=server", "cluster.delete", {"selector": "team=x", "dry_run": "server"}),
    ("delete raycluster/x -y", "cluster.delete", {**THEIRS, "names": ["raycluster/x"], "yes": True}),
    ("delete x", "cluster.delete", {**THEIRS, "names": ["x"]}),
    ("delete cluster x", "cluster.delete", {**THEIRS, "names": ["x"]}),
    # worker-group
    ("cluster worker-group list", "cluster.worker_group.list", {}),
    ("cluster workergroups list -c x", "cluster.worker_group.list", {"cluster": "x"}),
    ("get workergroup g -c x", "cluster.worker_group.list", {**THEIRS, "group": "g", "cluster": "x"}),
    ("get workergroups -A", "cluster.worker_group.list", {**THEIRS, "all_namespaces": True}),
    ("list worker-groups", "cluster.worker_group.list", THEIRS),
    ("cluster worker-group create g --cluster x -worker-replicas=2 -worker-memory=2GB",
     "cluster.worker_group.create",
     {"group": "g", "cluster": "x", "worker_replicas": "2", "worker_memory": "2GB"}),
    ("create workergroup g -c x", "cluster.worker_group.create", {**THEIRS, "group": "g", "cluster": "x"}),
    # session
    ("session list", "session.list", {}),
    ("session ls -o json -n foo", "session.list", {"output": "json", "namespace": "foo"}),
    ("session stop", "session.stop", {}),
    ("session stop a rayjob/b", "session.stop", {"names": ["a", "rayjob/b"]}),
    ("session stop --all --context x", "session.stop", {"all": True, "context": "x"}),
    # sandbox
    ("sandbox start", "sandbox.start", {}),
    ("sandbox start --cpus 4 --memory=16GB --switch --port 7443 --ray-version 2.51.0", "sandbox.start",
     {"cpus": 4, "memory": "16GB", "switch": True, "port": 7443, "ray_version": "2.51.0"}),
    ("sandbox start --missing-image '*:nightly' --missing-image=a*", "sandbox.start",
     {"missing_images": ["*:nightly", "a*"]}),
    ("sandbox status -o json", "sandbox.status", {"output": "json"}),
    ("sandbox logs -f --tail 5", "sandbox.logs", {"follow": True, "tail": 5}),
    ("sandbox stop --forget", "sandbox.stop", {"forget": True}),
    # the rest
    ("version", "version", {}),
    ("version --client -o json", "version", {"client": True, "output": "json"}),
    ("completion bash", "completion", {"shell": "bash"}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "module", "args"), TABLE, ids=[line for line, _module, _args in TABLE])
def test_line(line: str, module: str, args: dict[str, Any]) -> None:
    """Each command line means this command, with these values and no others."""
    assert meant(line) == (module, args)


def test_every_command_and_alias_is_in_the_table() -> None:
    """A row of the grammar without a line here is not held by anything."""
    said = {line for line, _module, _args in TABLE}
    for phrase in grammar.phrases():
        if phrase[0] == "list" and phrase != ("list", "cluster"):
            continue  # `list` is `get`, spelled otherwise
        assert any(grammar.spelled(line.split())[: len(phrase)] == phrase for line in said), phrase


@pytest.mark.parametrize("words", ["job submit", "dashboard x", "logs x", "nosuch", "get", "cluster", "cluster nosuch"])
def test_unknown_words(words: str) -> None:
    """What is not in the table is no command."""
    assert grammar.find(list(enumerate(words.split()))) is None


def test_no_phrase_has_two_meanings() -> None:
    """Each way to say something belongs to one row."""
    every = [grammar.spelled(command.words) for command in grammar.COMMANDS]
    every += [grammar.spelled(alias.words) for command in grammar.COMMANDS for alias in command.aliases]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("command", grammar.COMMANDS, ids=lambda command: " ".join(command.words))
def test_flags_can_be_taken_apart(command: grammar.Command) -> None:
    """A flag has one value, an optional one or none; `-h` and `--` are never a command's."""
    parser = build(import_module(command.module), {"other_plugin": False})
    for option, action in parser.options.items():
        assert action.nargs in {None, "?", 0}, option
        assert action.nargs != "?" or action.const is not None, option
        assert option not in {"-h", "--help", "--"}
        assert option.startswith("--") or len(option) == 2, option


def test_connection_flags_mean_the_same_everywhere() -> None:
    """No command has another meaning for one of them, which argparse would refuse."""
    connection = Parser()
    add_connection(connection)
    for command in grammar.COMMANDS:
        parser = build(import_module(command.module), {"other_plugin": False})
        for option, action in connection.options.items():
            assert parser.options[option].dest == action.dest
