"""Help pages."""

from __future__ import annotations

import pytest

from kubectl_ray.cli import grammar
from kubectl_ray.cli.help import WIDTH, fill, flag, paragraphs, placeholder
from kubectl_ray.cli.parser import Parser
from tests.unit.cli.running import run

PAGES = [
    "",
    "options",
    "cluster",
    "cluster worker-group",
    "get",
    *(" ".join(c.words) + " -h" for c in grammar.COMMANDS),
]


@pytest.mark.parametrize("line", PAGES)
def test_fits_a_terminal(line: str) -> None:
    """No line is wider than 80 columns or ends in blanks."""
    for text in run(line).out.splitlines():
        assert len(text) <= WIDTH, text
        assert text == text.rstrip()


def test_own_flags_come_first_and_connection_is_pointed_to() -> None:
    """The page leads with what is special to the command."""
    out = run("cluster scale -h").out
    assert out.index("\nFlags:") < out.index("\nOutput:") < out.index("\nWaiting:") < out.index("\nConnection flags")
    assert "--kubeconfig " not in out


def test_long_examples_can_be_copied() -> None:
    """A command that does not fit goes on behind a backslash."""
    lines = run("cluster create -h").out.splitlines()
    broken = [number for number, line in enumerate(lines) if line.endswith(" \\")]
    assert broken
    assert all(lines[number + 1].lstrip().startswith("-") for number in broken)


def test_placeholders() -> None:
    """How many words are meant can be seen."""
    parser = Parser()
    actions = [
        parser.add_argument("name", metavar="NAME", nargs=nargs) if nargs else parser.add_argument("name")
        for nargs in (None, "?", "*", "+")
    ]
    assert [placeholder(action) for action in actions] == ["NAME", "[NAME]", "[NAME...]", "NAME..."]


def test_flags() -> None:
    """Short form first, one long spelling, the kind of value behind."""
    parser = Parser()
    assert flag(parser.add_argument("--cluster", "-c", "--ray-cluster", metavar="NAME")) == "-c, --cluster NAME"
    assert flag(parser.add_argument("--dry-run", nargs="?", metavar="HOW")) == "    --dry-run[=HOW]"
    assert flag(parser.add_argument("--yes", action="store_true")) == "    --yes"
    assert flag(parser.add_argument("--kind", choices=("a", "b"))) == "    --kind a|b"
    assert flag(parser.add_argument("--number")) == "    --number NUMBER"


def test_running_text() -> None:
    """Sentences are filled, indented lines stay."""
    assert list(paragraphs("a\nb\n\n  kept   as it is\nc\n")) == ["a b", "", "  kept   as it is", "c", ""]
    assert fill("aaa bb c", 6) == ["aaa bb", "c"]
    assert fill("", 6) == []
