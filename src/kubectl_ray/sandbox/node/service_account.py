"""What a pod's programs find of their service account, made anew before its token is too old."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.node.volumes import account

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.node.settings import Settings

log = logging.getLogger(__name__)


class ServiceAccount:
    """The files of one pod's service account, from `begin` to `end`; `folder` is there when it begins."""

    def __init__(self, objects: Objects, settings: Settings, pod: Object, folder: Path) -> None:
        self._objects = objects
        self._settings = settings
        self._pod = pod
        self._folder = folder
        self._next: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Write them, and go on. May be called again.

        Raises:
            OSError: the disk does not take them; nothing goes on then.
        """
        self.end()
        if self._settings.token is None or self._pod["spec"].get("automountServiceAccountToken") is False:
            return
        self._write()
        self._later(self._settings.pace.token)

    def end(self) -> None:
        """No more tokens."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _later(self, seconds: float) -> None:
        self._next = asyncio.get_running_loop().call_later(seconds, self._renew)

    def _renew(self) -> None:
        """A full disk is no end: it may have room before the token that is there is too old."""
        pace = self._settings.pace
        try:
            self._write()
        except OSError as error:
            log.warning("no new token for %s: %s", self._folder, error)
            self._later(min(pace.token, pace.longest_mount))
        else:
            self._later(pace.token)

    def _write(self) -> None:
        if self._settings.token is None:
            return
        try:
            account(self._objects, self._pod, self._folder, self._settings.token)
        except Refused as refused:
            log.info("no token in %s: %s", self._folder, refused.message)
