"""What a long build says."""

from __future__ import annotations

import io

import pytest

from tests.realcluster.progress import Progress, spoken


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.42, "0.4 s"), (9.96, "10.0 s"), (42.4, "42 s"), (100, "1 min 40 s"), (605, "10 min 05 s")]
)
def test_spoken(seconds: float, words: str) -> None:
    """Durations are said as people say them."""
    assert spoken(seconds) == words


def test_step_is_announced_and_timed() -> None:
    """A line when it begins, a line when it is done; each with the time since the start."""
    out = io.StringIO()
    times = iter([0.0, 1.0, 1.0, 126.0, 126.0])
    progress = Progress(out, lambda: next(times))
    with progress.step("etcd"):
        pass
    assert out.getvalue().splitlines() == ["[00:01] etcd …", "[02:06] etcd: done in 2 min 05 s"]


def test_failed_step_says_so() -> None:
    """A step that fails is not said to be done."""
    out = io.StringIO()
    with pytest.raises(OSError, match="disk"), Progress(out).step("etcd"):
        raise OSError("disk")
    assert "etcd: failed after" in out.getvalue().splitlines()[-1]
