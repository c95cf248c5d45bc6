"""Process 1 of the node's namespaces: sets up its mounts and network, then starts and watches its daemons.

It runs as `python3 -m tests.realcluster.init` inside fresh net, mount, pid, ipc and uts namespaces and is asked for
things over a unix socket: one JSON line a connection, one JSON line back. When it dies the kernel ends every process in
the namespaces, and with the last of them go the mounts and the network. So nothing can be left behind.

Requests: `{"do": "start", "name", "argv", "log", "outside"}` (an `outside` daemon finds the machine's own network
namespace as descriptor 3), `{"do": "signal", "name", "signal"}`, `{"do": "status"}`, `{"do": "get",
"port", "path"}` (an HTTP GET on the node's loopback). Answers carry `error` when it failed.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import http.client
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

ENVIRONMENT = {
    "HOME": "/root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
# what the machine's own container programs may use: the node gets empty ones of its own
HIDDEN = ("/run/netns", "/run/containerd", "/var/lib/cni", "/var/log/containers")
# what must outlive the node, or is too big for memory: folders of the node's disk
ON_DISK = {"kubelet": "/var/lib/kubelet", "containerd": "/var/lib/containerd", "pods": "/var/log/pods"}


class Init:
    """The daemons by name, and what became of them."""

    def __init__(self, outside: int) -> None:
        # high, so that it is never the descriptor that a daemon gets it as
        self._outside = fcntl.fcntl(outside, fcntl.F_DUPFD_CLOEXEC, 10)
        os.close(outside)
        self._pids: dict[str, int] = {}
        self._codes: dict[str, int] = {}

    def close(self) -> None:
        """Let go of the machine's network namespace."""
        os.close(self._outside)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request says."""
        match request:
            case {"do": "start", "name": str(name), "argv": [*argv], "log": str(log)}:
                return self._start(name, [str(part) for part in argv], log, outside=request.get("outside") is True)
            case {"do": "signal", "name": str(name), "signal": int(number)}:
                return self._signal(name, number)
            case {"do": "status"}:
                return {"daemons": {name: self._status(name) for name in self._pids}}
            case {"do": "get", "port": int(port), "path": str(path)}:
                return _get(port, path)
        return {"error": f"not understood: {request}"}

    def reap(self) -> None:
        """Collect ended processes: daemons, and whatever they have left to us."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                for name, known in self._pids.items():
                    if known == pid:
                        self._codes[name] = os.waitstatus_to_exitcode(status)

    def _start(self, name: str, argv: list[str], log: str, *, outside: bool) -> dict[str, Any]:
        if name in self._pids and name not in self._codes:
            return {"error": f"{name} runs already"}
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions: list[tuple[Any, ...]] = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        if outside:
            actions.append((os.POSIX_SPAWN_DUP2, self._outside, 3))
        try:
            pid = os.posix_spawnp(argv[0], argv, ENVIRONMENT, file_actions=actions, setsid=True, setsigmask=[])
        except OSError as error:
            return {"error": f"cannot start {name}: {error}"}
        self._pids[name] = pid
        self._codes.pop(name, None)
        return {"pid": pid}

    def _signal(self, name: str, number: int) -> dict[str, Any]:
        if name not in self._pids or name in self._codes:
            return {"error": f"{name} does not run"}
        os.kill(self._pids[name], number)
        return {}

    def _status(self, name: str) -> dict[str, Any]:
        if name in self._codes:
            return {"running": False, "code": self._codes[name]}
        # `VmRSS:   12345 kB`, `State: T (stopped)`; proc_pid_status(5)
        lines = Path(f"/proc/{self._pids[name]}/status").read_text().splitlines()
        fields = {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
        kibibytes = int(fields.get("VmRSS", ["0"])[0])
        paused = fields["State"][0] == "T"
        return {"running": True, "pid": self._pids[name], "memory": kibibytes * 1024, "paused": paused}


def _get(port: int, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return {"status": response.status, "body": response.read(4096).decode(errors="replace")}
    except (OSError, http.client.HTTPException) as error:
        return {"error": str(error)}
    finally:
        connection.close()


def set_up(state: Path, config: Path, hostname: str, address: str) -> None:
    """Give the namespaces their mounts, name and network."""
    run("mount", "--make-rshared", "/")
    for folder in HIDDEN:
        run("mount", "-t", "tmpfs", "none", folder)
    for name, folder in ON_DISK.items():
        run("mount", "--rbind", state / name, folder)
    # names of services resolve for the operator too, and pulls of absent images fail at once rather than hang
    run("mount", "--bind", config / "resolv.conf", "/etc/resolv.conf")
    socket.sethostname(hostname)
    # Not every kernel has dummy devices. A veth pair with both ends in here gives an address with carrier and no way
    # out; the default route makes addresses of services reachable up to the point where kube-proxy rewrites them.
    gateway = f"{address.rpartition('.')[0]}.254"
    for words in (
        "link set lo up",
        "link add node0 type veth peer name node0p",
        "link set node0p up",
        f"addr add {address}/24 dev node0",
        "link set node0 up",
        f"route add default via {gateway} dev node0",
    ):
        run("ip", *words.split())
    for setting in ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"):
        file = Path("/proc/sys") / setting
        if file.exists():
            file.write_text("1")


def run(*argv: str | Path) -> None:
    """Run a program of the set-up, or end the node with its words."""
    done = subprocess.run(list(map(str, argv)), env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, argv))}: {done.stderr.strip()}")


def serve(listener: socket.socket, init: Init) -> None:
    """Answer requests for ever; a child's end wakes us up as well."""
    wake, woken = socket.socketpair()
    for end in (wake, woken):
        end.setblocking(False)  # noqa: FBT003 -- the standard library's own parameter
    signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(wake, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is wake:
                    wake.recv(4096)
                else:
                    converse(listener, init)
            init.reap()


def converse(listener: socket.socket, init: Init) -> None:
    """Take one request and answer it; a client that goes away or talks nonsense is none of our trouble."""
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError), connection.makefile("rw", encoding="utf-8") as stream:
        connection.settimeout(5)
        init.reap()
        try:
            answer = init.answer(json.loads(stream.readline()))
        except (ValueError, OSError) as error:
            answer = {"error": str(error)}
        stream.write(json.dumps(answer) + "\n")
        stream.flush()


def main() -> None:
    """Set up the node, say that it is there by listening, and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True)
    parser.add_argument("--state", required=True, type=Path)
    parser.add_argument("--config", required=True, type=Path)
    parser.add_argument("--hostname", required=True)
    parser.add_argument("--address", required=True)
    parser.add_argument("--outside", required=True, type=int)
    args = parser.parse_args()
    set_up(args.state, args.config, args.hostname, args.address)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(args.socket)
        Path(args.socket).chmod(0o600)
        listener.listen(64)
        serve(listener, Init(args.outside))


if __name__ == "__main__":
    main()
