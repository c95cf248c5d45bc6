"""A way to Python without blanks in it: Ray starts its workers through a shell and does not quote the path.

A virtual environment works through a symbolic link to its folder: Python takes its own path as it was called.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_ray.sandbox.node.places import Places
    from kubectl_ray.sandbox.node.settings import Settings

_PLAIN = re.compile(r"[\w./+@-]+", re.ASCII)


def plain(places: Places, settings: Settings) -> Settings:
    """The same settings with a plain `ray_bin`; where it is not plain already, a link is made among the pods' files.

    Raises:
        OSError: the disk does not take it.
    """
    programs = settings.ray_bin
    remove(places)
    if _PLAIN.fullmatch(str(programs)):
        return settings
    link = _link(places)
    link.symlink_to(programs.parent)
    return replace(settings, ray_bin=link / programs.name)


def remove(places: Places) -> None:
    """Take the link away, where there is one.

    Raises:
        OSError: it cannot be removed.
    """
    _link(places).unlink(missing_ok=True)


def _link(places: Places) -> Path:
    return places.short / places.home
