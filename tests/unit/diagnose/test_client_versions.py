"""When a person is told to install another Python or Ray, and which."""

from __future__ import annotations

import pytest

from kubectl_ray.diagnose.client_versions import Versions, misfit

CLUSTER = Versions("3.11", "2.52.0")


@pytest.mark.parametrize(
    ("here", "cluster"),
    [
        (Versions("3.11.4", "2.52.0"), CLUSTER),
        (Versions("3.11.4"), CLUSTER),
        (Versions(), CLUSTER),
        (Versions("3.12.1", "2.50.0"), Versions()),
    ],
    ids=["all fits", "no Ray here", "no Python here", "cluster unknown"],
)
def test_nothing_to_say(here: Versions, cluster: Versions) -> None:
    """What fits, what is not there, and what is not known is no reason for a remark."""
    assert misfit(here, cluster) == ""


@pytest.mark.parametrize(
    ("here", "line"),
    [
        (
            Versions("3.11.4", "2.50.0"),
            'ray.init needs Ray 2.52.0; here is Ray 2.50.0:  pip install "ray[client]==2.52.0"',
        ),
        (
            Versions("3.12.1", "2.52.0"),
            'ray.init needs Python 3.11; here is Python 3.12:  python3.11 -m pip install "ray[client]==2.52.0"',
        ),
        (
            Versions("3.12.1"),
            (
                "ray.init needs Python 3.11 and Ray 2.52.0; here is Python 3.12:  "
                'python3.11 -m pip install "ray[client]==2.52.0"'
            ),
        ),
        (
            Versions("3.12.1", "2.50.0"),
            (
                "ray.init needs Python 3.11 and Ray 2.52.0; here is Python 3.12 with Ray 2.50.0:  "
                'python3.11 -m pip install "ray[client]==2.52.0"'
            ),
        ),
    ],
)
def test_one_line(here: Versions, line: str) -> None:
    """It says what is needed, what is here, and what to install."""
    assert misfit(here, CLUSTER) == line


def test_an_unknown_ray() -> None:
    """Where Ray's version is not known the line names none."""
    assert misfit(Versions("3.12.1"), Versions("3.11")).endswith('install "ray[client]"')
