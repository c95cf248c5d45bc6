"""The programs that make up the node: how each is started, stopped, paused and looked at."""

from __future__ import annotations

import contextlib
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.realcluster import node
from tests.realcluster.errors import RealClusterError
from tests.realcluster.places import API_PORT, NODE_ADDRESS, NODE_NAME, RUN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PKI = RUN / "pki"
ETCD_CLIENTS, ETCD_PEERS = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
OPERATOR_PORT = 8082
OPERATOR_NAMESPACE = "ray-system"
GRACE = 10.0  # seconds for a daemon to end by itself


@dataclass(frozen=True)
class Daemon:
    """One program; one that is `outside` begins in the machine's own network namespace."""

    name: str
    argv: tuple[str, ...]
    outside: bool = False


def own(module: str, *arguments: str) -> tuple[str, ...]:
    """The command line of one of our own modules; daemons start in the checkout, where Python finds it."""
    return (sys.executable, "-m", f"tests.realcluster.{module}", *arguments)


def table(programs: Mapping[str, Path], state: Path, port: int) -> dict[str, Daemon]:
    """Every daemon by name. `programs` are the built ones, `port` is the API server's on this machine."""

    def built(name: str, *options: str) -> Daemon:
        return Daemon(name, (str(programs[name]), *options))

    def config(name: str) -> str:
        return f"--kubeconfig={PKI / name}.kubeconfig"

    def controller(name: str, *options: str) -> Daemon:
        own_config = PKI / f"{name}.kubeconfig"
        ways = [f"--{way}-kubeconfig={own_config}" for way in ("authentication", "authorization")]
        return built(name, config(name), *ways, "--leader-elect=false", "--bind-address=127.0.0.1", *options)

    daemons = (
        # a test's data may be lost with the machine: without fsync a write costs a tenth
        built(
            "etcd",
            *(f"--data-dir={state / 'etcd'}", f"--initial-cluster=default={ETCD_PEERS}"),
            *(f"--listen-client-urls={ETCD_CLIENTS}", f"--advertise-client-urls={ETCD_CLIENTS}"),
            *(f"--listen-peer-urls={ETCD_PEERS}", f"--initial-advertise-peer-urls={ETCD_PEERS}"),
            *("--unsafe-no-fsync", "--log-level=warn"),
        ),
        built(
            "kube-apiserver",
            *(f"--etcd-servers={ETCD_CLIENTS}", "--bind-address=0.0.0.0", f"--secure-port={API_PORT}"),
            *(f"--advertise-address={NODE_ADDRESS}", "--service-cluster-ip-range=10.96.0.0/16"),
            *("--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction"),
            *(f"--client-ca-file={PKI}/ca.crt", f"--tls-cert-file={PKI}/kube-apiserver.crt"),
            *(f"--tls-private-key-file={PKI}/kube-apiserver.key", "--kubelet-preferred-address-types=InternalIP"),
            f"--kubelet-client-certificate={PKI}/kube-apiserver-kubelet-client.crt",
            f"--kubelet-client-key={PKI}/kube-apiserver-kubelet-client.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            *(f"--service-account-key-file={PKI}/sa.pub", f"--service-account-signing-key-file={PKI}/sa.key"),
            *("--allow-privileged=true", "--profiling=false"),
        ),
        controller(
            "kube-controller-manager",
            *(f"--service-account-private-key-file={PKI}/sa.key", f"--root-ca-file={PKI}/ca.crt"),
            *(f"--cluster-signing-cert-file={PKI}/ca.crt", f"--cluster-signing-key-file={PKI}/ca.key"),
            *("--use-service-account-credentials=true", "--controllers=*"),
        ),
        controller("kube-scheduler"),
        Daemon("containerd", ("containerd", "--config", str(RUN / "config" / "containerd.toml"))),
        built(
            "kubelet",
            *(f"--config={RUN}/config/kubelet.yaml", config("kubelet"), "--v=2"),
            *(f"--hostname-override={NODE_NAME}", f"--node-ip={NODE_ADDRESS}"),
        ),
        built("kube-proxy", f"--config={RUN}/config/kube-proxy.yaml", f"--hostname-override={NODE_NAME}"),
        Daemon("nameserver", own("nameserver")),
        Daemon(
            "kuberay-operator",
            (
                *("env", f"POD_NAMESPACE={OPERATOR_NAMESPACE}", str(programs["kuberay-operator"])),
                *("--enable-leader-election=false", "--metrics-addr=127.0.0.1:8080"),
                *(f"--health-probe-bind-address=127.0.0.1:{OPERATOR_PORT}", config("kuberay-operator")),
            ),
        ),
        Daemon(
            "forward",
            ("nsenter", "--net=/proc/self/fd/3", *own("forward", str(port))),
            outside=True,
        ),
    )
    return {daemon.name: daemon for daemon in daemons}


def start(daemon: Daemon, logs: Path) -> None:
    """Start a daemon; says nothing about whether it is ready."""
    log = str(logs / f"{daemon.name}.log")
    node.ask({"do": "start", "name": daemon.name, "argv": daemon.argv, "log": log, "outside": daemon.outside})


def send(name: str, number: signal.Signals) -> None:
    """Send a signal to a daemon."""
    node.ask({"do": "signal", "name": name, "signal": int(number)})


def stop(name: str, grace: float = GRACE) -> None:
    """End a daemon: asked first, killed after the grace (seconds); one that has ended already is fine."""
    for number in (signal.SIGCONT, signal.SIGTERM, signal.SIGKILL):
        if not running(name):
            return
        with contextlib.suppress(RealClusterError):  # it may end between the question and the signal
            send(name, number)
        if number != signal.SIGCONT:
            with contextlib.suppress(RealClusterError):
                node.until(lambda: not running(name), grace, f"the end of {name}")
    if running(name):
        raise RealClusterError(f"{name} does not end")


def running(name: str) -> bool:
    """Whether a daemon runs, paused or not."""
    return bool(status().get(name, {}).get("running"))


def status() -> dict[str, dict[str, Any]]:
    """What every daemon that was ever started is doing: `running`, and `pid`, `memory`, `paused` or `code`."""
    daemons: dict[str, dict[str, Any]] = node.ask({"do": "status"})["daemons"]
    return daemons


def answers(port: int, path: str) -> bool:
    """Whether an HTTP GET inside the node, on its loopback, is answered with 200."""
    try:
        return bool(node.ask({"do": "get", "port": port, "path": path})["status"] == 200)
    except RealClusterError:
        return False
