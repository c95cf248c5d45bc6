"""What every command has: help, an example, completion, a test file, a page of the reference."""

from __future__ import annotations

import argparse
import ast
import shlex
import sys
from importlib import import_module
from pathlib import Path

import pytest

from kubectl_ray.cli import grammar
from kubectl_ray.cli.argv import take_apart
from kubectl_ray.cli.complete import complete
from kubectl_ray.cli.parser import build, globally_known, parse

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "kubectl_ray"
MODULES = {command.module for command in grammar.COMMANDS}
every_command = pytest.mark.parametrize("command", grammar.COMMANDS, ids=lambda command: " ".join(command.words))


@every_command
def test_module(command: grammar.Command) -> None:
    """Args, add_arguments, run, a long help whose first line is a sentence, examples."""
    module = import_module(command.module)
    assert issubclass(module.Args, argparse.Namespace)
    assert callable(module.add_arguments)
    assert callable(module.run)
    first = (module.__doc__ or "").partition("\n")[0]
    assert first.endswith(".")
    assert command.help
    assert not command.help.endswith(".")


@every_command
def test_args_are_declared(command: grammar.Command) -> None:
    """Every annotated field is filled by a flag, so that a type checker's promise holds."""
    module = import_module(command.module)
    parser = build(module, {"other_plugin": False})
    filled = {action.dest for action in [*parser.options.values(), *parser.positionals]} | {"other_plugin", "rest"}
    declared = {name for kind in module.Args.__mro__ for name in getattr(kind, "__annotations__", {})}
    assert declared <= filled


@every_command
def test_every_flag_has_help(command: grammar.Command) -> None:
    """One line, which ends without a point as all others do."""
    parser = build(import_module(command.module), {"other_plugin": False})
    for action in parser.options.values():
        assert action.help, action.option_strings
        assert not action.help.endswith("."), action.help


@every_command
def test_examples_are_command_lines(command: grammar.Command) -> None:
    """Each example can be parsed, and at least one is of this command."""
    module = import_module(command.module)
    meant = set()
    for line in module.EXAMPLES.replace("\\\n", " ").splitlines():
        text = line.strip()
        if not text.startswith("kubectl ray "):
            beginnings = ("#", "source <(", "export ", "helm ")
            assert not text or text.startswith(beginnings), f"neither a comment nor a command: {text}"
            if "(" not in text or text.startswith(("#", "helm ")):
                continue
            text = text.partition("(")[2].removesuffix(")")
        argv = shlex.split(text.partition(" | ")[0].partition(" > ")[0])[2:]
        parts = take_apart(argv, globally_known().options, strict=False, complete=False)
        match = grammar.find(parts.words)
        assert match is not None, text
        other = import_module(match.command.module)
        parse(build(other, match.defaults), other, match, argv)
        meant.add(match.command.words)
    assert command.words in meant


def imports(source: str) -> set[str]:
    """All that a module may name in its imports, wherever in it they stand."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def test_no_command_is_imported() -> None:
    """What two commands share is a module of its own, which is no command: `writing`, `reading`, `clusters`."""
    sources = [path for path in SOURCE.rglob("*.py") if imports(path.read_text(encoding="utf-8")) & MODULES]
    assert not sources


@every_command
def test_completion(command: grammar.Command) -> None:
    """The words lead to it one by one, and its flags are proposed."""
    for length, word in enumerate(command.words):
        proposed = complete([*command.words[:length], ""], {}).splitlines()
        assert word in {line.partition("\t")[0] for line in proposed}
    flags = {line.partition("\t")[0] for line in complete([*command.words, "--"], {}).splitlines()}
    assert {"--help", "--namespace", "--context"} <= flags


@every_command
def test_test_file(command: grammar.Command) -> None:
    """Each command module has a test file of its own, where its folder says."""
    path = command.module.removeprefix("kubectl_ray.").split(".")
    assert (ROOT / "tests" / "unit" / Path(*path[:-1]) / f"test_{path[-1]}.py").exists()


def generated() -> dict[str, str]:
    """The pages as docs/generate.py would write them now."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("generate", module)
    spec.loader.exec_module(module)
    pages: dict[str, str] = module.pages()
    return pages


def test_reference_is_current() -> None:
    """The reference is what the grammar says; `make docs` rewrites it."""
    folder = ROOT / "docs" / "reference"
    stale = [
        name
        for name, text in generated().items()
        if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != text
    ]
    assert not stale, "run `make docs`"
