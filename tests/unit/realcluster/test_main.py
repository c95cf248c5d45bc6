"""The command line of the real cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.realcluster import __main__ as program

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("line", "run"),
    [
        ("up", program.up),
        ("down", program.down),
        ("status", program.show_status),
        ("prepare", program.prepare),
    ],
)
def test_words(line: str, run: Callable[[Any], int]) -> None:
    """Each word leads to its function."""
    assert program.parser().parse_args(line.split()).run is run


def test_enter_passes_everything_on() -> None:
    """Options behind `enter` belong to the command that runs inside."""
    assert program.parser().parse_args(["enter", "ls", "-l", "--help"]).argv == ["ls", "-l", "--help"]


@pytest.mark.parametrize(
    "line",
    [
        "fault stop operator",
        "fault pause apiserver",
        "fault delete-pod team/head",
        "fault kill-container team/head --container autoscaler",
        "fault small-volume 4 --free 1024 --in-node",
        "fault quota team pods=1",
        "fault limit-range team memory=512Mi",
        "fault limited-user . --namespace team",
        "fault token team/bot 5",
    ],
)
def test_faults_are_known(line: str) -> None:
    """Each fault has its words."""
    assert callable(program.parser().parse_args(line.split()).run)


def test_unknown_part_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    """The parts there are are named."""
    with pytest.raises(SystemExit) as caught:
        program.parser().parse_args(["fault", "stop", "toaster"])
    assert caught.value.code == 2
    assert "apiserver" in capsys.readouterr().err
