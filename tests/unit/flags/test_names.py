"""Arguments that name clusters and groups."""

from __future__ import annotations

import argparse

import pytest

from kubectl_ray.flags.names import add_cluster_argument, add_cluster_flag, add_group_argument, completes


def test_cluster_flag_has_three_spellings() -> None:
    """Ours, the short one, the Go plugin's."""
    parser = argparse.ArgumentParser()
    add_cluster_flag(parser)
    for argv in (["--cluster", "x"], ["-c", "x"], ["--ray-cluster", "x"]):
        assert parser.parse_args(argv).cluster == "x"
    assert parser.parse_args([]).cluster is None


def test_names() -> None:
    """One name, perhaps one, several."""
    one, perhaps, several = (argparse.ArgumentParser() for _ in range(3))
    add_cluster_argument(one)
    add_cluster_argument(perhaps, nargs="?")
    add_cluster_argument(several, dest="names", nargs="*")
    assert one.parse_args(["x"]).name == "x"
    assert perhaps.parse_args([]).name is None
    assert several.parse_args(["x", "y"]).names == ["x", "y"]


def test_completion_is_told_what_a_word_names() -> None:
    """A group that is to be made has no name to propose."""
    parser = argparse.ArgumentParser()
    assert vars(add_cluster_argument(parser))["completes"] == "cluster"
    assert vars(add_group_argument(parser))["completes"] == "group"
    assert "completes" not in vars(add_group_argument(argparse.ArgumentParser(), new=True))


def test_only_known_kinds() -> None:
    """A kind that completion does not know is a defect."""
    with pytest.raises(ValueError, match="planet"):
        completes(argparse.ArgumentParser().add_argument("x"), "planet")
