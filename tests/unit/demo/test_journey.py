"""The demo leaves nothing behind."""

from __future__ import annotations

import pytest

from demo.__main__ import Demo, Interrupted, journey, run


class Recorder(Demo):
    """Runs nothing: remembers the commands, and fails or is interrupted at one of them."""

    def __init__(self, fails_at: str = "", *, interrupted: bool = False) -> None:
        super().__init__(())
        self.shown: list[str] = []
        self._fails_at = fails_at
        self._interrupted = interrupted

    def show(self, command: str) -> int:
        """Remember the command."""
        self.shown.append(command)
        if self._fails_at and self._fails_at in command:
            if self._interrupted:
                raise Interrupted
            return 3
        return 0


def test_the_journey_ends_with_the_removal_of_what_it_created() -> None:
    """All steps, in order."""
    demo = Recorder()
    assert run(demo, "demo-1") == 0
    assert tuple(demo.shown) == journey("demo-1")


def test_a_failed_step_ends_the_journey_and_the_cluster_is_removed() -> None:
    """The exit code is the failed step's."""
    demo = Recorder("scale")
    assert run(demo, "demo-1") == 3
    assert [command.split()[1] for command in demo.shown] == ["create", "list", "scale", "delete"]


@pytest.mark.parametrize("step", ["create", "worker-group"])
def test_an_interrupted_journey_removes_the_cluster(step: str) -> None:
    """Ctrl-C is exit code 130, after the removal."""
    demo = Recorder(step, interrupted=True)
    assert run(demo, "demo-1") == 130
    assert demo.shown[-1] == "cluster delete demo-1 --yes"
