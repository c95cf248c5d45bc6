"""The background process: everything of the sandbox put together, and its end.

`python -m kubectl_ray.sandbox.daemon --home=FOLDER …` is what `background.start` runs. It says one line of JSON on
stdout when it answers, or why it does not, and nothing else; from then on it writes to its log only.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import json
import logging
import os
import select
import signal
import socket
import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.assembly import Sandbox
from kubectl_ray.sandbox.home import Home, Run, Trouble
from kubectl_ray.sandbox.log_file import write_to
from kubectl_ray.sandbox.node.settings import Settings
from kubectl_ray.sandbox.serving.server import HOST

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger("sandbox")

LEAST_CPUS = 8
LEAST_MEMORY = 32 * 2**30
"""What it has on paper, bytes of memory, where nothing else is asked for and the machine has less."""
_CLAIM = 2.0
"""Seconds in which another command's look at the lock is over."""


class Flags(argparse.Namespace):
    """Its own flags: no person types them."""

    home: Path
    programs: Path
    ray: str
    cpus: int
    memory: int
    port: int
    missing_images: list[str]


def flags(argv: Sequence[str]) -> Flags:
    """Read them."""
    parser = argparse.ArgumentParser(prog="kubectl_ray.sandbox.daemon")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--programs", type=Path, required=True)
    parser.add_argument("--ray", required=True)
    parser.add_argument("--cpus", type=int, default=0)
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--missing-image", dest="missing_images", action="append", default=[])
    return parser.parse_args(argv, Flags())


class Voice:
    """The one line on stdout, which is closed afterwards: who waits for it, waits for its end too."""

    def __init__(self) -> None:
        self._descriptor: int | None = os.dup(1)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)

    def unheard(self) -> bool:
        """Whoever started it has gone: nobody reads what it says."""
        if self._descriptor is None:
            return False
        ear = select.poll()
        ear.register(self._descriptor, 0)
        return any(events & (select.POLLERR | select.POLLHUP) for _, events in ear.poll(0))

    def ready(self) -> None:
        """It answers."""
        self._say({"ready": True})

    def trouble(self, message: str, hint: str = "") -> None:
        """It does not; nothing is said when it has answered before."""
        self._say({"trouble": message, "hint": hint})

    def _say(self, what: dict[str, object]) -> None:
        if self._descriptor is None:
            return
        with contextlib.suppress(OSError):  # the starter may have been killed
            os.write(self._descriptor, json.dumps(what).encode() + b"\n")
        os.close(self._descriptor)
        self._descriptor = None


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; 0 after an orderly end, 1 when it could not start."""
    given = flags(sys.argv[1:] if argv is None else argv)
    voice = Voice()
    home = Home(given.home)
    try:
        home.prepare()
        write_to(home.log)
        claim = _claimed(home)
        try:
            home.sign(claim)
            if voice.unheard():  # and a `stop` may have looked for us in vain
                raise Trouble("The command that started the sandbox has gone")
            home.unsay()
            asyncio.run(live(given, home, voice))
        finally:
            os.close(claim)
    except Trouble as trouble:
        voice.trouble(trouble.message, trouble.hint)
    except OSError as error:
        log.exception("cannot start")
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = f"Make room on the disk of {home.folder}." if full else f"Its log:  {home.log}"
        voice.trouble(f"The sandbox cannot be started: {error.strerror or error}", hint)
    except Refused as refusal:
        log.exception("cannot write what every cluster has")
        voice.trouble(
            f"What the sandbox begins with cannot be written: {refusal.__cause__ or refusal.message}",
            f"Make room on the disk of {home.folder}.",
        )
    except sqlite3.Error as error:
        log.exception("cannot open the store")
        voice.trouble(
            f"What was created in the sandbox cannot be read: {error}",
            "Begin with an empty one:  kubectl ray sandbox stop --forget",
        )
    except Exception as error:
        log.exception("ended by a defect")
        voice.trouble(f"The sandbox ended: {type(error).__name__}: {error}", f"Its log:  {home.log}")
    else:
        return 0
    return 1


def _claimed(home: Home) -> int:
    """Be the one that runs here; a command that looks whether one does holds the lock for a moment only."""
    until = time.monotonic() + _CLAIM
    while (claim := home.claim()) is None:
        if time.monotonic() > until:
            raise Trouble("A sandbox runs in this folder already")
        time.sleep(0.02)
    return claim


async def live(given: Flags, home: Home, voice: Voice) -> None:
    """Put it together, say that it answers, wait for the end, take it apart in reverse."""
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    settings = Settings(
        cpus=given.cpus or max(LEAST_CPUS, os.cpu_count() or 1),
        memory=given.memory or max(LEAST_MEMORY, psutil.virtual_memory().total),
        ray_bin=given.programs,
        missing_images=tuple(given.missing_images),
    )
    sandbox = Sandbox(home, settings)
    try:
        server = await sandbox.start(choose_port(given.port, home.port()))
        run = Run(
            pid=os.getpid(),
            created=psutil.Process().create_time(),
            since=time.time(),
            port=server.port,
            ca=server.authority,
            token=server.token,
            cpus=settings.cpus,
            memory=settings.memory,
            ray=given.ray,
        )
        home.say(run)
        voice.ready()
        log.info("answers at %s", run.server)
        await end.wait()
        log.info("is asked to end")
    finally:
        home.unsay()
        await sandbox.stop()
    log.info("has ended")


def choose_port(wanted: int, last: int) -> int:
    """A port that is free: the one that is wanted, else that of the last run, so that logins stay good, else any.

    Found out before anything else begins: pods must not be started for a sandbox that nobody can reach.

    Raises:
        Trouble: the wanted one is taken, or there is no loopback.
    """
    for number in (wanted,) if wanted else (last, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, number))
                probe.listen(1)
                socket.create_connection(probe.getsockname(), timeout=2.0).close()
            except OSError as error:
                if error.errno in (errno.EADDRNOTAVAIL, errno.ENETUNREACH):
                    raise Trouble(
                        f"Nothing can be reached at {HOST} on this machine",
                        "The sandbox needs the loopback interface: switch it on.",
                    ) from error
                if wanted or not number:
                    why = error.strerror or str(error)
                    raise Trouble(
                        f"Port {number} of {HOST} cannot be used: {why}", "Leave --port out, or name another one."
                    ) from error
            else:
                return int(probe.getsockname()[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
