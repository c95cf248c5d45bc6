"""The recipes of the Ray image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.realcluster.places import RAY
from tests.realcluster.ray_image import RECIPES, lines

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_without_comments(tmp_path: Path) -> None:
    """Comments and empty lines are no entries."""
    recipe = tmp_path / "recipe"
    recipe.write_text("# of the image\n\ncurl\nwget  # for probes\n")
    assert lines(recipe) == ["curl", "wget"]


def test_everything_is_pinned() -> None:
    """The same recipe makes the same image next month."""
    for recipe in ("requirements.txt", "wheels.txt"):
        assert all("==" in entry for entry in lines(RECIPES / recipe))


def test_ray_is_the_version_that_the_image_is_named_after() -> None:
    """The name says what is in it."""
    assert f"ray[default,serve]=={RAY}" in lines(RECIPES / "requirements.txt")
