"""What starting costs: the modules that help, completion and a list import, in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.cli import grammar
from tests.wire.server import ApiServer

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Never on the way of help, completion, list or get. What each costs stands in docs/explanation/decisions.md.
SLOW = {
    "asyncio", "dataclasses", "difflib", "email", "http", "inspect", "ipaddress", "logging", "pathlib", "rich",
    "shutil", "subprocess", "tempfile", "textwrap", "typing", "unittest", "urllib", "uuid",
}  # fmt: skip

#: Not even those that reading a cluster needs.
NETWORK = {"socket", "ssl", "yaml", "select", "gzip"}

#: What a list from a plain kubeconfig does without: each was there once, and measured.
SPARED = {"datetime", "locale", "queue", "threading", "yaml"}

_PROBE = """
import json, os, sys
from kubectl_ray.cli import {module} as program
def end(code):
    sys.stdout.flush()
    sys.stderr.write("\\n" + json.dumps(sorted(sys.modules)))
    sys.stderr.flush()
    leave(code)
leave, os._exit = os._exit, end
sys.argv = {argv!r}
program.entry()
"""


def imported(module: str, argv: list[str], env: dict[str, str] | None = None) -> set[str]:
    """Every module that is loaded when this command line ends."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE.format(module=module, argv=["kubectl-ray", *argv])],
        env=env or {"HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: list[str] = json.loads(done.stderr.rpartition("\n")[2])
    return set(found)


def roots(modules: set[str]) -> set[str]:
    """The packages that they belong to."""
    return {name.partition(".")[0] for name in modules}


@pytest.fixture(scope="module")
def bare() -> set[str]:
    """What an interpreter of this environment has loaded before anything of ours (its site, editable installs)."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def api() -> Iterator[ApiServer]:
    """A server to list from; over TLS, as real ones are."""
    with ApiServer(token="secret") as server:
        server.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
        yield server


@pytest.mark.parametrize("argv", [[], ["--help"], ["cluster"]])
def test_pages_of_words(argv: list[str], bare: set[str]) -> None:
    """The start page needs neither argparse nor a command."""
    found = imported("main", argv) - bare
    assert not roots(found) & (SLOW | NETWORK)
    assert not [name for name in found if name.startswith("kubectl_ray.commands")]
    if not argv or argv == ["--help"]:
        assert "argparse" not in found


@pytest.mark.parametrize("command", grammar.COMMANDS, ids=lambda command: " ".join(command.words))
def test_help_of_a_command(command: grammar.Command, bare: set[str]) -> None:
    """A command's help imports that command alone, and nothing that speaks to a cluster."""
    found = imported("main", [*command.words, "--help"]) - bare
    assert not roots(found) & (SLOW | NETWORK)


@pytest.mark.parametrize(
    "words", [[""], ["cluster", ""], ["cluster", "create", "--"], ["cluster", "list", "-o", ""], ["completion", ""]]
)
def test_completion_of_words(words: list[str], bare: set[str]) -> None:
    """Words, flags and fixed values need no network."""
    found = imported("complete", words) - bare
    assert not roots(found) & (SLOW | NETWORK)


@pytest.mark.parametrize(
    "line",
    [
        "cluster list",
        "cluster list -o json",
        "cluster get",
        "cluster nodes",
        "cluster worker-group list",
        "get clusters",
        "session list",
        "session list -o json",
    ],
)
def test_reading(api: ApiServer, bare: set[str], line: str) -> None:
    """A list imports what it uses: TLS and JSON; of the commands only its own."""
    found = imported("main", line.split(), api.env) - bare
    assert not roots(found) & (SLOW | SPARED)
    assert "encodings.idna" not in found
    assert not {name for name in found if name.startswith("kubectl_ray.manifests")}


def test_completion_of_names(api: ApiServer, bare: set[str]) -> None:
    """Live names cost no more than a list."""
    assert not roots(imported("complete", ["cluster", "get", ""], api.env) - bare) & SLOW
    assert not roots(imported("complete", ["session", "stop", ""], api.env) - bare) & (SLOW | NETWORK)
