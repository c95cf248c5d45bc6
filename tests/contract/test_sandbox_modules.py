"""The sandbox holds no dead code: every module is reached from a program or a command, every public name is read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
SANDBOX = SOURCE / "kubectl_ray" / "sandbox"
MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
    for path in sorted(SANDBOX.rglob("*.py"))
    if path.name != "__init__.py"
}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}
PROGRAMS = [name for name, text in TEXTS.items() if '__name__ == "__main__"' in text]
"""What is run by itself: with `python -m`, or by hand to write data files."""


def imported(text: str) -> set[str]:
    """Modules of the sandbox that a module imports, at its head or inside of a function."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    return found & MODULES.keys()


COMMANDS = {
    text: imported(text)
    for path in (SOURCE / "kubectl_ray" / "commands" / "sandbox").glob("*.py")
    for text in [path.read_text(encoding="utf-8")]
}
IMPORTED = {name: imported(text) for name, text in TEXTS.items()}
READ_BY = {
    module: [text for name, text in TEXTS.items() if module in IMPORTED[name]]
    + [text for text, found in COMMANDS.items() if module in found]
    for module in MODULES
}


def reached() -> set[str]:
    """Everything that programs and commands lead to."""
    waiting = {*PROGRAMS, *(each for found in COMMANDS.values() for each in found)}
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= IMPORTED[name] - found
    return found


def public(text: str) -> list[str]:
    """Functions, classes and constants at a module's head that have no underscore."""
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            targets = [each for target in node.targets for each in ast.walk(target)]
            found += [each.id for each in targets if isinstance(each, ast.Name)]
    return [name for name in found if not name.startswith("_")]


def is_read(module: str, name: str) -> bool:
    """Whether the module itself, or one that imports it, says the name once more."""
    word = re.compile(rf"\b{name}\b")
    if len(word.findall(TEXTS[module])) > 1:
        return True
    return any(word.search(text) for text in READ_BY[module])


def test_every_module_is_reached() -> None:
    """One that only tests import is dead."""
    assert sorted(MODULES.keys() - reached()) == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_public_name_is_read(module: str) -> None:
    """One that only tests read is dead; one that its module alone reads is fine."""
    assert [name for name in public(TEXTS[module]) if not is_read(module, name)] == []


def test_no_file_is_too_long() -> None:
    """400 lines, tests included."""
    tests = Path(__file__).parents[1]
    long = [
        path for root in (SOURCE, tests) for path in root.rglob("*.py") if len(path.read_bytes().splitlines()) > 400
    ]
    assert long == []
