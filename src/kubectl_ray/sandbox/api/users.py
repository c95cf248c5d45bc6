"""Who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

ADMINS = "system:masters"
"""The group that may do everything, whatever roles there are."""


class User(NamedTuple):
    """A name with its groups, as a login or an impersonation gives them."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = {}


ADMIN = User("sandbox-admin", (ADMINS, "system:authenticated"))
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
