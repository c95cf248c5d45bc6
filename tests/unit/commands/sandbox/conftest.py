"""A sandbox's folder and a kubeconfig for each test, nobody else's; what a test leaves running is ended."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.running import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment in which nothing of the machine's user is found; names as people give them."""
    folder = tmp_path / "Jürgens Ordner"
    folder.mkdir()
    made = {
        "HOME": str(folder),
        "KUBECTL_RAY_SANDBOX_HOME": str(folder / "sandbox"),
        "PATH": os.environ["PATH"],
    }
    yield made
    run("sandbox stop --forget", made)


@pytest.fixture
def kubeconfig(env: dict[str, str]) -> Path:
    """Where the context comes to stand."""
    from pathlib import Path

    return Path(env["HOME"]) / ".kube" / "config"
