"""Its fixtures are those of tests/e2e/plugin.py, shared with tests/e2e, so that one run has one namespace."""

from __future__ import annotations

pytest_plugins = ["tests.e2e.plugin"]
