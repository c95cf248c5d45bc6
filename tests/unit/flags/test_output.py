"""Values of `-o` and `--dry-run`."""

from __future__ import annotations

import argparse

import pytest

from kubectl_ray.errors import WrongUse
from kubectl_ray.flags.output import Output, dry_run, output, sort_path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("json", Output("json")),
        ("wide", Output("wide")),
        ("table", Output("table")),
        ("jsonpath={.a=b}", Output("jsonpath", "{.a=b}")),
        ("custom-columns=N:.a", Output("custom-columns", "N:.a")),
    ],
)
def test_formats(text: str, value: Output) -> None:
    """What kubectl's -o has."""
    assert output(text) == value
    assert hash(output(text)) == hash(value)


@pytest.mark.parametrize("text", ["", "jsn", "jsonpath", "jsonpath=", "custom-columns", "json=x", "go-template={{.}}"])
def test_no_formats(text: str) -> None:
    """The others are named."""
    with pytest.raises(argparse.ArgumentTypeError):
        output(text)


@pytest.mark.parametrize("text", ["jsonpath={.a", "custom-columns=NAME"])
def test_expressions_are_read_at_once(text: str) -> None:
    """One that cannot be read is refused before anything is asked."""
    with pytest.raises(WrongUse):
        output(text)


def test_tables() -> None:
    """Rows are wanted, or objects."""
    assert [Output(name).is_table for name in ("table", "wide", "json", "name")] == [True, True, False, False]
    assert Output("wide").wide
    assert repr(Output("jsonpath", "{.a}")) == "Output('jsonpath', '{.a}')"


def test_dry_runs() -> None:
    """The words of kubectl, and the Go plugin's."""
    assert [dry_run(text) for text in ("none", "client", "server", "true", "false")] == [
        "none",
        "client",
        "server",
        "client",
        "none",
    ]
    with pytest.raises(argparse.ArgumentTypeError):
        dry_run("perhaps")


def test_sort_paths() -> None:
    """A path is found readable at once."""
    assert sort_path(".metadata.name") == ".metadata.name"
    assert not sort_path("")
    with pytest.raises(argparse.ArgumentTypeError):
        sort_path("{.x")
