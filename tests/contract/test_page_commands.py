"""Command lines on the project's pages are ones that can be typed: `kubectl ray …` and `make …`."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from kubectl_ray.cli import grammar
from kubectl_ray.cli.argv import take_apart
from kubectl_ray.cli.parser import build, globally_known, parse

ROOT = Path(__file__).parents[2]
# What docs/generate.py writes has usage lines; its examples are held by test_commands.py.
GENERATED = "<!-- Written by docs/generate.py"
FOLDERS = ("", "docs/**/", "bench/", "tests/**/")
PAGES = sorted(
    page
    for page in {page for folder in FOLDERS for page in ROOT.glob(f"{folder}*.md")}
    if not page.read_text(encoding="utf-8").startswith(GENERATED)
)

_FENCED = re.compile(r"^[ ]*```[^\n]*\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_OURS = re.compile(r"(?:kubectl ray|^(?:\$ )?kubectl-ray) (.+)")
_MAKE = re.compile(r"^(?:\$ )?make((?: [A-Z]+=\S*)*(?: [a-z][a-z-]*)?(?: [A-Z]+=\S*)*)(?: |$)")


def blocks(text: str) -> list[str]:
    """Every line of code, fenced or indented; a line's continuation belongs to it."""
    fenced = [line for block in _FENCED.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    rest = _FENCED.sub("", text).replace("\\\n", " ")
    return [line.strip() for line in [*fenced, *(line for line in rest.splitlines() if line.startswith("    "))]]


def spans(text: str) -> list[str]:
    """Code amid prose."""
    return [span.strip() for span in _SPAN.findall(_FENCED.sub("", text))]


def ours(lines: list[str]) -> list[str]:
    """What follows `kubectl ray`, up to a pipe or a redirection; a page's COMMAND stands for any."""
    found = [match[1] for line in lines if (match := _OURS.search(line))]
    return [line.partition(" | ")[0].partition(" > ")[0].replace("COMMAND", "cluster list") for line in found]


def typed(line: str, *, whole: bool = True) -> None:
    """Take a line as the terminal would; an error of ours where it cannot be meant.

    Prose may name a command without the words it needs: not `whole`.
    """
    argv = shlex.split(line, comments=True)
    parts = take_apart(argv, globally_known().options, strict=False, complete=False)
    if not parts.words:
        assert parts.help or not whole, line
        return
    if parts.words[0][1] in grammar.PAGES:
        return
    match = grammar.find(parts.words)
    assert match is not None, line
    module = import_module(match.command.module)
    parser = build(module, match.defaults)
    if parts.help or not whole:
        take_apart(argv, parser.options)
    else:
        parse(parser, module, match, argv)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_our_commands(page: Path) -> None:
    """Each goes through grammar and parser."""
    text = page.read_text(encoding="utf-8")
    for line in ours(blocks(text)):
        typed(line)
    for line in ours(spans(text)):
        typed(line, whole=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets(page: Path) -> None:
    """Each is in the Makefile, and so is each variable that is given."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    for line in [*blocks(text), *spans(text)]:
        found = _MAKE.match(line)
        for word in found[1].split() if found else ():
            name, given, _ = word.partition("=")
            wanted = rf"^{re.escape(name)}\s*\?=" if given else rf"^{re.escape(name)}:"
            assert re.search(wanted, makefile, re.MULTILINE), f"make {word}"


def test_the_tour_is_read() -> None:
    """The README's own lines are among those that are held, answers with commands in them too."""
    lines = ours(blocks((ROOT / "README.md").read_text(encoding="utf-8")))
    assert "cluster list" in lines
    assert "cluster describe my-cluster -n default" in lines
    assert any(line.startswith("cluster create my-cluster --ray-version") for line in lines)


def test_how_lines_are_read() -> None:
    """Prompts, pipes, comments and continuations are the shell's, not the command's."""
    text = """```sh
$ kubectl ray cluster create a \\
  --worker-gpus=1 | cat
```

    kubectl ray COMMAND --help   # of any
    pip install kubectl-ray      # not ours

See `kubectl ray -v`."""
    assert [shlex.split(line, comments=True) for line in ours(blocks(text))] == [
        ["cluster", "create", "a", "--worker-gpus=1"],
        ["cluster", "list", "--help"],
    ]
    assert ours(spans(text)) == ["-v"]
