"""What is exec'd is taken as it is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from kubectl_ray.sandbox.node import surroundings
from kubectl_ray.sandbox.node.translation import Translation

if TYPE_CHECKING:
    from kubectl_ray.sandbox.node.places import PodPlace


class Place:
    """Where its process begins."""

    home = Path("/x")


def test_dollars_of_a_command_are_left_alone() -> None:
    """`$(NAME)` and `$$` mean something in a container's own command only; here they are the shell's."""
    argv = ["sh", "-c", "echo $(HOME) $HOME; kill -9 $$"]
    meaning = Translation()
    made = surroundings.command({}, {"HOME": "/h"}, meaning, argv, cast("PodPlace", Place()))
    assert list(made.argv) == argv
