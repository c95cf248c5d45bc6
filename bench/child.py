"""Runs programs for the benchmark, one line of JSON a program on standard input, one line of JSON out.

Linux counts the memory of the process that starts a program towards the program's own peak (`exec_mmap` in the
kernel's fs/exec.c). So whoever starts it has to be small: this runs as `python -I -S` and imports next to nothing.
"""

from __future__ import annotations

import json
import os
import sys
import time

_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


def run(argv: list[str], env: dict[str, str]) -> dict[str, float]:
    """Run one program without input, its output thrown away; seconds, bytes and its exit code."""
    nothing = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    nothing += [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    start = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=nothing)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    return {
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * _UNIT,
        "code": os.waitstatus_to_exitcode(status),
    }


if __name__ == "__main__":
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(json.dumps(run(order["argv"], order["env"])) + "\n")
        sys.stdout.flush()
