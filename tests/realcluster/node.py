"""The node as seen from outside: its namespaces, made and ended as one, and its first process, asked over a socket."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.realcluster.errors import RealClusterError
from tests.realcluster.init import ENVIRONMENT, HIDDEN, ON_DISK
from tests.realcluster.places import CHECKOUT, NODE_ADDRESS, NODE_NAME, RUN, SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.realcluster.places import Places

SOCKET = RUN / "init.sock"
MADE = RUN / "made-folders"
CGROUPS = Path("/sys/fs/cgroup")
NAMESPACES = ("--net", "--mount", "--pid", "--ipc", "--uts")
POLL = 0.05  # seconds between two looks at a condition


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for a condition.

    Raises:
        RealClusterError: it does not hold after that time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RealClusterError(f"{what}: not within {seconds:.0f} s")
        time.sleep(POLL)


def pid() -> int | None:
    """The node's first process, as a process of this machine; None when there is no node.

    The kernel tells it: whoever listens on the socket is the node, so no file with a number can be wrong.
    """
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(SOCKET))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        size = struct.calcsize("3i")
        return int(struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[0])


def ask(request: dict[str, Any]) -> dict[str, Any]:
    """One request to the node's first process (`init.py`), and its answer.

    Raises:
        RealClusterError: there is no node, or it could not do it.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        try:
            client.connect(str(SOCKET))
            client.sendall(json.dumps(request).encode() + b"\n")
            with client.makefile() as stream:
                answer: dict[str, Any] = json.loads(stream.readline())
        except (FileNotFoundError, ConnectionRefusedError):
            raise RealClusterError("the real cluster is not running; start it with `make cluster-up`") from None
        except (OSError, ValueError) as error:
            raise RealClusterError(f"the node does not answer: {error}") from error
    if "error" in answer:
        raise RealClusterError(answer["error"])
    return answer


def enter(*argv: str | Path) -> list[str]:
    """The command line that runs another one inside the node.

    Raises:
        RealClusterError: there is no node.
    """
    first = pid()
    if first is None:
        raise RealClusterError("the real cluster is not running; start it with `make cluster-up`")
    return ["nsenter", f"--target={first}", *NAMESPACES, "--wd=/", "--", *map(str, argv)]


def inside(*argv: str | Path, seconds: float = 60) -> str:
    """Run a command inside the node and return what it prints.

    Raises:
        RealClusterError: it failed, or took too long.
    """
    try:
        done = subprocess.run(
            enter(*argv), env=ENVIRONMENT, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise RealClusterError(f"{' '.join(map(str, argv))}: not done within {seconds:.0f} s") from None
    if done.returncode:
        raise RealClusterError(f"{' '.join(map(str, argv))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def create(places: Places) -> None:
    """Make the namespaces; on return the node answers and runs nothing yet.

    Raises:
        RealClusterError: its first process ended; the message says why.
    """
    _prepare_folders(places)
    log = places.logs / "node.log"
    with log.open("wb") as out, Path("/proc/self/ns/net").open() as outside:
        argv = ["unshare", *NAMESPACES, "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
        argv += [sys.executable, "-m", "tests.realcluster.init", "--socket", str(SOCKET)]
        argv += ["--state", str(places.state), "--config", str(RUN / "config")]
        argv += ["--hostname", NODE_NAME, "--address", NODE_ADDRESS, "--outside", str(outside.fileno())]
        process = subprocess.Popen(
            argv,
            cwd=CHECKOUT,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            pass_fds=[outside.fileno()],
        )
    try:
        until(lambda: pid() or _ended(process, log), 20, "the node's first process")
    except BaseException:
        process.kill()  # --kill-child: takes the first process along
        process.wait()
        raise


def _ended(process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        raise RealClusterError(f"the node did not start: {log.read_text().strip()}")
    return False


def _prepare_folders(places: Places) -> None:
    for name in ON_DISK:
        (places.state / name).mkdir(parents=True, exist_ok=True)
    places.logs.mkdir(parents=True, exist_ok=True)
    shutil.copytree(SOURCES / "config", RUN / "config")
    made = []
    for folder in (Path(name) for name in (*HIDDEN, *ON_DISK.values())):
        missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        made += [str(parent) for parent in missing]
        folder.mkdir(parents=True, exist_ok=True)
        MADE.write_text("".join(f"{name}\n" for name in made))


def destroy() -> None:
    """End the node and everything in it, and remove what it had outside; fine when there is none."""
    first = pid()
    if first is not None:
        os.kill(first, signal.SIGKILL)
        # the kernel ends all its processes before it lets the first one go
        until(lambda: not Path(f"/proc/{first}").exists() or _is_dead(first), 30, "the end of the node's processes")
    unmount_below(RUN)
    remove_control_groups()
    if MADE.exists():
        for name in MADE.read_text().splitlines():
            with contextlib.suppress(OSError):  # somebody else uses it by now
                Path(name).rmdir()
    if RUN.exists():
        shutil.rmtree(RUN)


def _is_dead(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except OSError:
        return True


def unmount_below(folder: Path) -> None:
    """Unmount everything in a folder, the innermost first."""
    # 5th field of proc_pid_mountinfo(5): the mount point, with blanks as \040
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in reversed(points):
        if Path(point).is_relative_to(folder):
            subprocess.run(["umount", "--lazy", point], check=False)


def control_groups() -> list[Path]:
    """The top groups of this machine's pods: one a hierarchy in version 1, one in all in version 2."""
    return [group for pattern in ("kubepods", "*/kubepods") for group in CGROUPS.glob(pattern) if group.is_dir()]


def remove_control_groups() -> None:
    """Remove the groups that dead pods have left."""
    for top in control_groups():
        for group, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):  # busy for a moment more: the next up or down takes it
                Path(group).rmdir()


def foreign_pods() -> bool:
    """Whether pods of somebody else run here, whose control groups ours would mix with."""
    return any(
        (Path(group) / "cgroup.procs").read_text().strip()
        for top in control_groups()
        for group, _, _ in os.walk(top)
        if (Path(group) / "cgroup.procs").exists()
    )


def host_pids() -> dict[int, int]:
    """Processes of the node: the number inside, and the one on this machine."""
    first = pid()
    if first is None:
        return {}
    namespace = Path(f"/proc/{first}/ns/pid").readlink()
    numbers = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if (folder / "ns" / "pid").readlink() == namespace:
                    numbers[_inner(folder)] = int(folder.name)
    return numbers


def _inner(folder: Path) -> int:
    for line in (folder / "status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return int(line.split()[-1])
    raise ProcessLookupError(folder.name)


def run_as(argv: Sequence[str]) -> int:
    """Run a command inside the node on this terminal and return its exit code."""
    return subprocess.run(enter(*argv), check=False).returncode
