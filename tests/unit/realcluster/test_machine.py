"""A machine that will not do is refused in words, with exit code 2, before anything is changed."""

from __future__ import annotations

import pytest

from tests.realcluster.errors import MachineUnfit
from tests.realcluster.machine import PACKAGES, check_root
from tests.realcluster.places import OPERATORS, SOURCES, operator_version, places


def test_needs_linux() -> None:
    """On a Mac the way out is named."""
    with pytest.raises(MachineUnfit, match=r"needs Linux, and this is darwin; `make test` runs anywhere"):
        check_root("darwin", 0)


def test_needs_root() -> None:
    """Another user is told to try sudo."""
    with pytest.raises(MachineUnfit, match=r"needs root.*sudo"):
        check_root("linux", 1000)


def test_refusal_is_exit_code_2() -> None:
    """So that a Makefile or CI can tell it from a failure."""
    assert MachineUnfit("").exit_code == 2


def test_cache_folder_follows_the_environment() -> None:
    """KUBECTL_RAY_CACHE before XDG_CACHE_HOME before the home folder."""
    environ = {"HOME": "/home/ada"}
    assert str(places(environ).cache) == "/home/ada/.cache/kubectl-ray/realcluster"
    environ["XDG_CACHE_HOME"] = "/cache"
    assert str(places(environ).cache) == "/cache/kubectl-ray/realcluster"
    environ["KUBECTL_RAY_CACHE"] = "/big"
    assert str(places(environ).cache) == "/big/kubectl-ray/realcluster"


def test_newest_operator_by_default() -> None:
    """OPERATOR picks one of the recipes."""
    assert operator_version({}) == OPERATORS[-1]
    assert operator_version({"OPERATOR": "v1.4.2"}) == "1.4.2"


def test_unknown_operator_names_those_there_are() -> None:
    """A mistyped version is not built from nothing."""
    with pytest.raises(MachineUnfit, match=r"1\.4\.2, 1\.5\.1, 1\.6\.2"):
        operator_version({"OPERATOR": "2.0"})


@pytest.mark.parametrize("version", OPERATORS)
def test_each_operator_has_a_recipe(version: str) -> None:
    """A go.mod that asks for exactly that version."""
    text = (SOURCES / "go" / f"kuberay-{version}" / "go.mod").read_text()
    assert f"github.com/ray-project/kuberay/ray-operator v{version}" in text


def test_packages_are_debian_s_names() -> None:
    """Nothing that apt-get would take for an option or a file."""
    assert all(package.replace("-", "").isalnum() and package[0].isalpha() for package in PACKAGES.values())
