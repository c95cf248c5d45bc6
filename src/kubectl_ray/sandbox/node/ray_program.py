"""The program `ray` inside of pods: Ray's own, told where this pod's things are.

It runs in the pod's process, by a script in the pod's folder, and is the only module that imports Ray. What it does to
`ray start` is in `ray_flags`; some things Ray has no flag for, and they are changed in the running program:

- 127.0.0.1 stays 127.0.0.1. Ray would make the machine's address of it and listen to everybody.
- A worker has its own temporary folder. Ray would take the head's, and two nodes that start there at once hang.
- `ray stop` ends this pod's Ray, not each one of the user's.
- `ray health-check` waits for the port without loading Ray: workers ask for it while their head starts.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time

from kubectl_ray.sandbox.node.ray_flags import Pod, start_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

HEALTH_SECONDS = 5.0
_BETWEEN = 0.05
_CONNECT = 1.0

RAY_PROGRAMS = ("raylet", "gcs_server", "dashboard", "log_monitor", "monitor.py", "runtime_env", "ray::", "ray.util")
"""What names show that a process is Ray's: the list of `ray stop`."""


def described(environment: Mapping[str, str]) -> Pod:
    """The pod that the sandbox put into the environment."""
    numbers: dict[str, int] = json.loads(environment.get("KUBECTL_RAY_PORTS") or "{}")
    services: dict[str, dict[str, int]] = json.loads(environment.get("KUBECTL_RAY_SERVICES") or "{}")
    return Pod(
        folder=environment.get("KUBECTL_RAY_FOLDER", ""),
        memory=int(environment.get("KUBECTL_RAY_MEMORY") or 0),
        ports={int(inside): outside for inside, outside in numbers.items()},
        services={
            name: {int(inside): outside for inside, outside in known.items()} for name, known in services.items()
        },
        namespace=environment.get("RAY_CLUSTER_NAMESPACE", "default"),
    )


def health(arguments: Sequence[str], pod: Pod, environment: Mapping[str, str]) -> int | None:
    """0 when something listens within a few seconds, 1 when not; None when Ray itself is to answer."""
    address = environment.get("RAY_ADDRESS", "")
    left = list(arguments)
    while left:
        name, _, value = left.pop(0).partition("=")
        if name == "--address":
            address = value or (left.pop(0) if left else "")
        elif name != "--skip-version-check":
            return None
    host, _, port = pod.address(address).rpartition(":")
    if not host or not port.isdecimal():
        return None
    until = time.monotonic() + HEALTH_SECONDS
    while True:
        try:
            socket.create_connection((host, int(port)), _CONNECT).close()
        except OSError:
            if time.monotonic() > until:
                return 1
            time.sleep(_BETWEEN)
        else:
            return 0


def stop(environment: Mapping[str, str]) -> int:
    """End this pod's Ray, as `ray stop` does in a container; the exit code."""
    import psutil
    import ray  # noqa: F401 - brings a psutil where there is no other

    from kubectl_ray.sandbox.node.processes import POD, Belonging

    count = 0
    for process in Belonging(POD, environment.get(POD, "")).find():
        try:
            line = " ".join(process.cmdline())
            if process.pid != os.getpid() and any(name in line for name in RAY_PROGRAMS):
                process.terminate()
                count += 1
        except psutil.Error:
            continue
    text = f"Stopped all {count} Ray processes." if count else "Did not find any active Ray processes."
    sys.stdout.write(text + "\n")
    return 0


def free_shared_memory() -> int:
    """Bytes; 0 where there is no such file system."""
    try:
        found = os.statvfs("/dev/shm")  # noqa: S108 - asked for its size
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize


def start(arguments: Sequence[str], pod: Pod) -> list[str]:
    """Make Ray ready for `ray start`; its arguments."""
    from ray._private import node, ray_constants, services

    services.resolve_ip_for_localhost = _unchanged
    ray_constants.ENABLE_RAY_CLUSTER = True
    told = start_arguments(arguments, pod, shared_memory=free_shared_memory())
    if "--head" not in told:
        original = node.Node.__init__

        def begin(self: Any, ray_params: Any, *args: Any, **kwargs: Any) -> None:
            ray_params.temp_dir = pod.folder
            original(self, ray_params, *args, **kwargs)

        setattr(node.Node, "__init__", begin)  # noqa: B010 - mypy forbids the plain form
    return told


def autoscaler(pod: Pod, environment: Mapping[str, str]) -> None:
    """Tell the autoscaler where the API server, its token and the head are."""
    host, _, port = environment.get("KUBECTL_RAY_API", "").removeprefix("https://").rpartition(":")
    os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT_HTTPS"] = host, port
    account = environment.get("KUBECTL_RAY_ACCOUNT", "")
    from ray._common.network_utils import build_address
    from ray.autoscaler._private.kuberay import node_provider, run_autoscaler

    def secrets() -> tuple[dict[str, str], str]:
        with open(f"{account}/token", encoding="utf-8") as file:  # noqa: PTH123 - pathlib is not needed for this
            return {"Authorization": f"Bearer {file.read().strip()}"}, f"{account}/ca.crt"

    node_provider.load_k8s_secrets = secrets
    vars(run_autoscaler)["build_address"] = lambda host, port: build_address(host, pod.moved(int(port)))


def _unchanged(host: str) -> str:
    return host


def main() -> None:
    """Be `ray`."""
    arguments = sys.argv[1:]
    pod = described(os.environ)
    name = arguments[0] if arguments else ""
    if name == "health-check":
        code = health(arguments[1:], pod, os.environ)
        if code is not None:
            sys.exit(code)
    if name == "stop":
        sys.exit(stop(os.environ))
    if name == "start":
        arguments = [name, *start(arguments[1:], pod)]
    elif name == "kuberay-autoscaler":
        autoscaler(pod, os.environ)
    else:
        arguments = [_addressed(each, pod) for each in arguments]
    from ray.scripts import scripts

    sys.argv = ["ray", *arguments]
    run: Callable[[], None] = scripts.main
    run()


def _addressed(argument: str, pod: Pod) -> str:
    """An argument of another command: addresses are known by their form."""
    flag, equals, value = argument.partition("=")
    if equals and flag.startswith("--"):
        return f"{flag}={pod.address(value)}"
    return pod.address(argument)


if __name__ == "__main__":
    main()
