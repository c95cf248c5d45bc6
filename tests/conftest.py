"""What every test may ask for: recorded objects, and golden files that `pytest --update-golden` rewrites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent

# How long an example takes says more about the machine than about the code.
settings.register_profile("here", deadline=None)
settings.load_profile("here")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--update-golden`."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files with what comes out now")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a file below tests/golden; a reviewer reads the difference."""

    def compare(name: str, text: str) -> None:
        path = HERE / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing: run pytest --update-golden and read what it writes"
        assert text == path.read_text(encoding="utf-8"), (
            f"not as in {path.name}; if it is right: pytest --update-golden"
        )

    return compare


@pytest.fixture
def recording() -> Callable[[str], dict[str, Any]]:
    """A recorded case: `cluster`, `pods`, `events`; a fresh copy each time."""

    def load(case: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            (HERE / "recordings" / "clusters" / f"{case}.json").read_text(encoding="utf-8")
        )
        return found

    return load
