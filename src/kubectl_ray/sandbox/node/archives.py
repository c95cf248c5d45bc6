"""`tar` in a container names its members as they lie inside, which `kubectl cp` goes by.

The paths inside exist in texts only (`translation`), so a translated one would name members as they lie on this
machine. A view, a folder of links that looks as the container does, gives `tar` something to name them by.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_ray.sandbox.node.translation import Translation


def named_as_inside(argv: Sequence[str], meaning: Translation, view: Path) -> list[str]:
    """The command; operands of a `tar` that creates stand below `view`, which is made as far as they need it.

    Raises:
        OSError: the disk does not take the view.
    """
    if not _creates(argv):
        return list(argv)
    found: list[str] = []
    for each in argv:
        inside = _mounted(each, meaning)
        if inside is None:
            found.append(each)
            continue
        link = view / inside.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(meaning.path(inside))
        relative = each.lstrip("/").rstrip("/")
        found += ["-C", str(view), f"{relative}/." if each.rstrip("/") == inside else relative]
    return found


def _creates(argv: Sequence[str]) -> bool:
    """Whether it is a `tar` that makes an archive: `tar cf`, `tar -cf`, `tar --create`."""
    if not argv or PurePosixPath(argv[0]).name != "tar":
        return False
    first = argv[1] if len(argv) > 1 else ""
    bundles = [each for each in argv[1:] if each.startswith("-") and not each.startswith("--")]
    return "--create" in argv or any("c" in each for each in (first if first[:1] != "-" else "", *bundles))


def _mounted(path: str, meaning: Translation) -> str | None:
    """The longest path inside that stands for another one and holds this one."""
    found = [inside for inside, _outside in meaning.paths if path == inside or path.startswith(f"{inside}/")]
    return max(found, key=len, default=None)
