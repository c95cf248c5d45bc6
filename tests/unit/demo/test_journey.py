"""The demo leaves nothing behind."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from demo import __main__ as program
from demo import journey, pi
from demo.__main__ import run
from demo.journey import Command, removal, steps
from demo.runner import Interrupted, Runner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Recorder(Runner):
    """Runs nothing: remembers the steps, and fails or is interrupted at one of them."""

    shown: list[str]
    fails_at = ""
    interrupted = False

    def __init__(self, env: Mapping[str, str] | None = None, context: str = "", namespace: str = "") -> None:
        super().__init__(env or {}, context, namespace)
        self.shown = []

    def show(self, step: Command) -> int:
        """Remember the step."""
        self.shown.append(step.words)
        if self.fails_at and self.fails_at in self.shown[-1]:
            if self.interrupted:
                raise Interrupted
            return 3
        return 0


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """As they were."""
    before = {each: signal.getsignal(each) for each in program.SIGNALS}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> list[Recorder]:
    """Those that the demo makes."""
    made: list[Recorder] = []

    class Kept(Recorder):
        def __init__(self, env: Mapping[str, str], context: str = "", namespace: str = "") -> None:
            super().__init__(env, context, namespace)
            made.append(self)

    monkeypatch.setattr(program, "Runner", Kept)
    return made


def words(name: str) -> list[str]:
    """The commands of the journey."""
    return [step.words for step in steps(name)]


def test_the_journey_ends_with_the_removal_of_what_it_created() -> None:
    """All steps, in order."""
    runner = Recorder()
    assert run(runner, steps("demo-1"), removal("demo-1")) == 0
    assert runner.shown == [*words("demo-1"), "cluster delete demo-1 --yes"]


def test_a_failed_step_ends_the_journey_and_the_cluster_is_removed() -> None:
    """The exit code is the failed step's."""
    runner = Recorder()
    runner.fails_at = "scale"
    assert run(runner, steps("demo-1"), removal("demo-1")) == 3
    assert [line.split()[1] for line in runner.shown] == ["create", "list", "scale", "delete"]


@pytest.mark.parametrize("step", ["create", "worker-group", "session"])
def test_an_interrupted_journey_removes_the_cluster(step: str) -> None:
    """Ctrl-C is exit code 130, after the removal."""
    runner = Recorder()
    runner.fails_at, runner.interrupted = step, True
    assert run(runner, steps("demo-1"), removal("demo-1")) == 130
    assert runner.shown[-1] == "cluster delete demo-1 --yes"


@pytest.mark.parametrize(("at_once", "handler"), [(False, signal.SIG_IGN), (True, signal.SIG_DFL)])
def test_a_second_ctrl_c(at_once: bool, handler: signal.Handlers) -> None:
    """Of a sandbox that nobody would find again even a second one leaves nothing."""
    run(Recorder(), (), journey.STOP, at_once=at_once)
    assert signal.getsignal(signal.SIGINT) == handler


def test_a_sandbox_of_its_own(recorder: list[Recorder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the reader's kubeconfig nor the reader's sandbox is touched; its folder is gone afterwards."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", "/mine")
    assert program.in_sandbox("demo-1") == 0
    (runner,) = recorder
    assert runner.shown[0] == "sandbox start"
    assert runner.shown[-2:] == ["cluster delete demo-1 --yes", "sandbox stop --forget"]
    assert runner.env["KUBECONFIG"].startswith(str(tmp_path))
    assert runner.env["KUBECTL_RAY_SANDBOX_HOME"].startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_sandbox_is_stopped(recorder: list[Recorder], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cluster goes with it."""
    monkeypatch.setattr(Recorder, "fails_at", "create")
    monkeypatch.setattr(Recorder, "interrupted", True)
    assert program.in_sandbox("demo-1") == 130
    assert recorder[0].shown[-1] == "sandbox stop --forget"


def test_where_there_is_no_cluster(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and what is needed."""
    monkeypatch.setattr(Runner, "reaches_ray_clusters", lambda _self: False)
    assert program.on_cluster("demo-1", "x", "") == 2
    assert "kubectl config get-contexts" in capsys.readouterr().err


def test_flags_go_before_the_program(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """What follows `--` belongs to another program."""
    runner = Runner({}, "x", "y")
    monkeypatch.setattr(runner, "_program", ["echo", "ray"])
    assert runner.show(Command("cluster session demo-1 -- python3 demo/pi.py", "A remark.")) == 0
    assert capfd.readouterr().out.endswith("ray cluster session demo-1 --context x -n y -- python3 demo/pi.py\n")


def test_what_runs_on_the_cluster_can_be_sent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job as Ray's API takes it: one line for a shell, and its output at the end."""
    states = ["PENDING", "RUNNING", "SUCCEEDED"]
    sent: list[dict[str, str]] = []

    def ask(method: str, path: str = "", body: Any = None) -> object:
        if method == "POST":
            sent.append(body)
            return {"submission_id": "raysubmit_1"}
        return {"logs": "pi is about 3.1416"} if path.endswith("/logs") else {"status": states.pop(0)}

    monkeypatch.setattr(pi, "ask", ask)
    assert pi.followed(pause=0) == 0
    assert sent[0]["entrypoint"].startswith("python -c ")
    assert "pi is about 3.1416" in capsys.readouterr().out
