"""Which installation of the plugin is measured."""

from __future__ import annotations

from pathlib import Path

from bench.install import environment, folder, key


def checkout(tmp_path: Path) -> Path:
    """A checkout of one module."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("A = 1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


def test_a_changed_source_is_another_installation(tmp_path: Path) -> None:
    """The key follows the content."""
    root = checkout(tmp_path)
    before = key(root)
    assert key(root) == before
    (root / "src" / "a.py").write_text("A = 2\n")
    assert key(root) != before


def test_the_cache_is_where_the_environment_says() -> None:
    """KUBECTL_RAY_CACHE before XDG_CACHE_HOME."""
    assert folder({"KUBECTL_RAY_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a/kubectl-ray/bench")
    assert folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/kubectl-ray/bench")


def test_the_measured_plugin_may_use_its_compiled_modules() -> None:
    """A development machine often forbids writing them, a user's does not."""
    env = environment({"PYTHONDONTWRITEBYTECODE": "1", "PATH": "/bin"}, Path("/t/k"), Path("/v/bin"), "/k/kubectl")
    assert "PYTHONDONTWRITEBYTECODE" not in env
    assert env["PATH"] == "/v/bin:/k:/bin"
