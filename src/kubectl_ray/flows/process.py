"""Other processes of this machine: locks that they hold, whether they live, how they are ended."""

from __future__ import annotations

import errno
import os
import signal
import sys

from kubectl_ray.errors import KubectlRayError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_ray.flows.session_file import Session


def host() -> str:
    """This machine's name."""
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")


def machine() -> str:
    """What tells apart the machines, their runs and the containers that may share a home: a pid means nothing beyond.

    Linux: the boot's id and the process namespace; "" elsewhere, where homes are seldom shared.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
            boot = stream.read(64).strip()
        return f"{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except (OSError, ValueError):
        return ""


def could_see(session: Session) -> bool:
    """Would a process of this session be seen from here? Not those of another machine or container.

    One of an earlier run of this machine would: it is gone with it.
    """
    mine = machine()
    if session.machine == mine:
        return True
    return session.host == host() and session.machine.partition("/")[0] != mine.partition("/")[0]


def lock(descriptor: int) -> bool:
    """Lock a file of ours that nobody else can know yet; False where the system or the file system has no locks."""
    if os.name == "nt":
        return False
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def held(descriptor: int) -> bool | None:
    """Does another process hold this file's lock? None where locks tell nothing."""
    if os.name == "nt":
        return None
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return True if error.errno in {errno.EWOULDBLOCK, errno.EACCES} else None
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def exists(session: Session) -> bool:
    """Is there a process with this session's pid, on this machine and this person's?"""
    if session.machine != machine():
        return False
    if sys.platform == "win32":
        return _exists_on_windows(session.pid)
    try:
        os.kill(session.pid, 0)
    except OSError:
        return False
    return True


def _exists_on_windows(pid: int) -> bool:
    """os.kill(pid, 0) would end it there."""
    if sys.platform == "win32":
        import ctypes

        synchronize, timeout = 0x00100000, 0x102
        handle = ctypes.windll.kernel32.OpenProcess(synchronize, False, pid)  # noqa: FBT003 -- positions of a C function
        if not handle:
            return False
        waiting = ctypes.windll.kernel32.WaitForSingleObject(handle, 0)
        ctypes.windll.kernel32.CloseHandle(handle)
        return bool(waiting == timeout)
    return False


def end(pid: int, lives: Callable[[], bool]) -> None:
    """Ask a process to end, one that is stopped (Ctrl-Z) too.

    Raises:
        KubectlRayError: it may not be signalled.
    """
    numbers = [signal.SIGTERM]
    if hasattr(signal, "SIGCONT"):
        numbers.append(signal.SIGCONT)
    _send(pid, numbers, lives)


def kill(pid: int, lives: Callable[[], bool]) -> None:
    """End a process at once.

    Raises:
        KubectlRayError: it may not be signalled.
    """
    _send(pid, [getattr(signal, "SIGKILL", signal.SIGTERM)], lives)


def _send(pid: int, numbers: list[signal.Signals], lives: Callable[[], bool]) -> None:
    """Send signals to the process that is known to have had this pid, if it `lives`.

    On Linux the process is taken hold of first and then made sure of, so that no other can get them that was given the
    same pid meanwhile.
    """
    handle = -1
    try:
        if hasattr(os, "pidfd_open"):
            try:
                handle = os.pidfd_open(pid)
            except OSError as error:
                if error.errno == errno.ESRCH:
                    return
        if not lives():
            return
        for number in numbers:
            if handle >= 0:
                signal.pidfd_send_signal(handle, number)
            else:
                os.kill(pid, number)
    except ProcessLookupError:
        return
    except OSError as error:
        raise KubectlRayError(f"Process {pid} cannot be ended: {error.strerror or error}") from error
    finally:
        if handle >= 0:
            os.close(handle)
