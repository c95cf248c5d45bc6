"""A whole command line in this process: pages, errors in words, exit codes."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
import types
from typing import TYPE_CHECKING

import pytest

from kubectl_ray.cli import grammar
from kubectl_ray.cli.main import Interrupted, _Ending, in_utf8, main
from kubectl_ray.errors import WrongUse
from kubectl_ray.results import IfInterrupted, Line
from tests.unit.cli.running import run
from tests.wire.server import ApiServer

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from kubectl_ray.context import Context
    from kubectl_ray.results import Event


@pytest.mark.parametrize("line", ["", "--help", "-h", "help", "-n foo --help", "-n foo"])
def test_start_page(line: str) -> None:
    """Without a command: where to start, and what there is."""
    said = run(line)
    assert (said.code, said.err) == (0, "")
    assert "kubectl ray cluster create my-cluster" in said.out


@pytest.mark.parametrize(
    "line",
    [
        "cluster create --help",
        "cluster --help create",
        "--help cluster create",
        "-h cluster create x --worker-replicas=1",
        "help cluster create",
        "-n foo cluster create --help",
        "create cluster --help",
        "clusters create -h",
    ],
)
def test_command_page(line: str) -> None:
    """`--help` anywhere, or `help` in front, shows the command's page and does nothing."""
    said = run(line)
    assert said.code == 0
    assert "kubectl ray cluster create [NAME] [flags]" in said.out


@pytest.mark.parametrize("line", ["cluster", "cluster --help", "help cluster", "cluster worker-group", "get", "list"])
def test_group_page(line: str) -> None:
    """Words that only lead to commands show which."""
    said = run(line)
    assert said.code == 0
    assert "Commands:" in said.out


def test_options_page() -> None:
    """The connection flags have a page of their own."""
    assert "--insecure-skip-tls-verify" in run("options").out


@pytest.mark.parametrize(
    ("line", "words", "hint"),
    [
        ("clutser list", "'clutser' is no command of kubectl ray", "Did you mean: kubectl ray cluster?"),
        ("cluster lst", "'lst' is no command of kubectl ray cluster", "Did you mean: kubectl ray cluster list"),
        ("get nosuch", "'nosuch' is no command of kubectl ray get", "See what there is:  kubectl ray get --help"),
        ("job submit", "'job' is no command of kubectl ray", ""),
        ("cluster list --otput json", "unknown flag --otput", "Did you mean --output?"),
        ("cluster list --qqq", "unknown flag --qqq", "See:  kubectl ray cluster list --help"),
        ("cluster list surplus", "too many words: surplus", "See:  kubectl ray cluster list --help"),
        ("cluster scale --replicas", "--replicas needs a value", "See:  kubectl ray cluster scale --help"),
        ("cluster list -o jsn", "--output: 'jsn' is not an output format", "See:  kubectl ray cluster list --help"),
        ("cluster worker-group create", "missing: GROUP", "See:  kubectl ray cluster worker-group create --help"),
        ("completion tcsh", "SHELL: invalid choice: 'tcsh'", "See:  kubectl ray completion --help"),
    ],
)
def test_wrong_use(line: str, words: str, hint: str) -> None:
    """Exit code 2; what is wrong first, what to do last; nothing on stdout."""
    said = run(line)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"Error: {words}")
    assert said.err.splitlines()[-1].startswith(hint)


def test_no_kuberay() -> None:
    """An API server without KubeRay: said in those words, with the way out; exit code 5."""
    with ApiServer() as api:
        api.missing_groups.add("ray.io")
        said = run("cluster list", api.env)
    assert said.code == 5
    assert said.err.startswith("Error: KubeRay is not installed")
    assert "helm install" in said.err.splitlines()[-1]


def test_no_right() -> None:
    """A login that may not list: exit code 4."""
    with ApiServer() as api:
        api.deny("list", "rayclusters")
        said = run("cluster list", api.env)
    assert said.code == 4
    assert "rayclusters" in said.err


def test_not_logged_in() -> None:
    """A token that the server does not take: exit code 4."""
    with ApiServer(token="right") as api:
        said = run("cluster list --token wrong", api.env)
    assert said.code == 4


def test_nobody_there() -> None:
    """An API server that is down: exit code 1 and its address."""
    with ApiServer() as api:
        api.stop()
        said = run("cluster list", api.env)
    assert said.code == 1
    assert str(api.port) in said.err


def test_equivalent_command_and_requests() -> None:
    """`-v=2` shows each request on stderr; the answer stays alone on stdout."""
    with ApiServer() as api:
        quiet, loud = run("cluster list -o name", api.env), run("cluster list -o name -v=2", api.env)
    assert loud.out == quiet.out
    assert "GET " in loud.err
    assert "GET " not in quiet.err


def test_connection_flags_before_the_command() -> None:
    """Kubectl's flags may stand anywhere after `ray`."""
    with ApiServer() as api:
        run("-n one cluster list -o name", api.env)
        run("cluster --namespace=two list -o name", api.env)
        run("cluster list -o name -n three", api.env)
        assert [request.path.split("/")[5] for request in api.requests] == ["one", "two", "three"]


def test_server_warnings_are_shown() -> None:
    """What the API server remarks stands on stderr, behind the answer."""
    with ApiServer() as api:
        api.fault("rayclusters", headers={"Warning": '299 - "this is old"'}, status=200, body={"items": []})
        said = run("cluster list -o name", api.env)
    assert "Warning: this is old\n" in said.err


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make `kubectl ray probe` run a function of the test's."""

    def install(run: Callable[[Context, argparse.Namespace], object]) -> None:
        module = types.ModuleType("kubectl_ray.commands.probe", "Probe.")
        module.Args = types.SimpleNamespace  # type: ignore[attr-defined]
        module.EXAMPLES = "  # x"  # type: ignore[attr-defined]
        module.add_arguments = lambda _parser: None  # type: ignore[attr-defined]
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(grammar, "COMMANDS", (*grammar.COMMANDS, grammar.Command("probe", "probe", "probe")))
        monkeypatch.setattr(grammar, "phrases", lambda: {("probe",): (grammar.COMMANDS[-1], {})})

    return install


def test_a_defect_is_one_line(command: Callable[..., None]) -> None:
    """An exception that nobody expected: what happened, how to report it, exit code 1, no traceback."""

    def run_it(_ctx: Context, _args: argparse.Namespace) -> Event:
        raise KeyError("spec")

    command(run_it)
    said = run("probe")
    assert said.code == 1
    assert said.err.splitlines() == [
        "Error: kubectl ray has a defect: KeyError: 'spec'",
        "Run it again with KUBECTL_RAY_DEBUG=1 in the environment and report what it prints.",
    ]
    with pytest.raises(KeyError):
        run("probe", {"KUBECTL_RAY_DEBUG": "1"})


def test_a_signal_that_became_another_error(command: Callable[..., None]) -> None:
    """A module in C, imported as the signal comes, raises an ImportError: the process still dies of the signal."""
    ending = _Ending()

    def run_it(_ctx: Context, _args: argparse.Namespace) -> Event:
        with contextlib.suppress(Interrupted):
            ending(signal.SIGTERM, None)
        raise ImportError("_socket")

    command(run_it)
    err = io.StringIO()
    code = main(["probe"], env={}, stdin=io.StringIO(), stdout=io.StringIO(), stderr=err, ending=ending)
    assert (code, err.getvalue()) == (-signal.SIGTERM, "Interrupted.\n")


def test_errors_are_traced_on_request() -> None:
    """With KUBECTL_RAY_DEBUG the way to the error stands before its words."""
    quiet, loud = run("cluster list --qqq"), run("cluster list --qqq", {"KUBECTL_RAY_DEBUG": "1"})
    assert "Traceback" not in quiet.err
    assert loud.err.startswith("Traceback")
    assert loud.err.endswith(quiet.err)


def test_ctrl_c_says_what_goes_on(command: Callable[..., None]) -> None:
    """The remembered text, on stderr; the process is to die of SIGINT."""

    def run_it(_ctx: Context, _args: argparse.Namespace) -> Iterator[Event]:
        yield Line("begun")
        yield IfInterrupted("It goes on. Look at it:  kubectl ray cluster get x")
        raise KeyboardInterrupt

    command(run_it)
    said = run("probe")
    assert (said.code, said.out) == (-signal.SIGINT, "begun\n")
    assert said.err == "It goes on. Look at it:  kubectl ray cluster get x\n"


def test_ctrl_c_before_anything_goes_on(command: Callable[..., None]) -> None:
    """Nothing is promised."""

    def run_it(_ctx: Context, _args: argparse.Namespace) -> Event:
        raise KeyboardInterrupt

    command(run_it)
    assert run("probe").err == "Interrupted.\n"


def test_a_closed_pipe_is_silent(command: Callable[..., None]) -> None:
    """`| head -1`: no words, and the process is to die of SIGPIPE."""

    class Broken(io.StringIO):
        """Nobody reads."""

        def write(self, _text: str) -> int:
            raise BrokenPipeError

    command(lambda _ctx, _args: Line("x"))
    err = io.StringIO()
    code = main(["probe"], env={}, stdin=io.StringIO(), stdout=Broken(), stderr=err)
    assert (code, err.getvalue()) == (-signal.SIGPIPE, "")


def test_words_behind_two_dashes(command: Callable[..., None]) -> None:
    """They are words, also where they look like flags, for a command without use for them too many."""
    command(lambda _ctx, _args: Line("x"))
    assert run("probe -- --help").err.startswith("Error: too many words: --help")


def test_words_in_another_locale() -> None:
    """Bytes that Python could not decode are UTF-8 all the same; where they are none, that is wrong use."""
    assert in_utf8(["a", "日本".encode().decode("ascii", "surrogateescape"), "é"]) == ["a", "日本", "é"]
    with pytest.raises(WrongUse, match=r"a=\\xff' is no text in UTF-8"):
        in_utf8([b"a=\xff".decode("ascii", "surrogateescape")])


def test_words_of_a_command() -> None:
    """What stands behind -- reaches a command as the very bytes that were typed."""
    words = ["x", "--", b"\xff".decode("ascii", "surrogateescape"), "é".encode().decode("ascii", "surrogateescape")]
    assert in_utf8(words) == words
