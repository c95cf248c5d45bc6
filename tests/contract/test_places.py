"""One end-to-end suite for every cluster: what only one of them can offer is said, with the reason, and is little."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
SUITES = (TESTS / "e2e", TESTS / "faults")
PLACES = {"real", "sandbox"}
MOST = 8
"""Cases of the real cluster alone. Those of the sandbox alone are about the sandbox itself and stand in one file."""
OWN_FILE = "test_sandbox_faults.py"


def marks() -> list[tuple[str, str, str]]:
    """(file, place, why) of every `only`."""
    found = []
    for path in sorted(each for suite in SUITES for each in suite.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "only":
                (place,) = (ast.literal_eval(each) for each in node.args)
                (why,) = (ast.literal_eval(each.value) for each in node.keywords if each.arg == "why")
                found.append((path.name, place, why))
    return found


def test_each_has_a_place_and_a_reason() -> None:
    """A reason is a sentence, not a word."""
    for name, place, why in marks():
        assert place in PLACES, name
        assert len(why.split()) > 4, (name, why)


def test_they_are_few() -> None:
    """Whatever both can offer runs on both."""
    assert len([place for _name, place, _why in marks() if place == "real"]) <= MOST
    assert {name for name, place, _why in marks() if place == "sandbox"} == {OWN_FILE}


def test_nothing_is_left_out_quietly() -> None:
    """A case is skipped by its mark, because of the run's login, or for want of a browser or of IPv6."""
    skips = [
        path.name for suite in SUITES for path in suite.rglob("*.py") if ".skip(" in path.read_text(encoding="utf-8")
    ]
    assert sorted(skips) == ["browser.py", "plugin.py", "sockets.py", "test_login_troubles.py"]
