"""The real cluster as a whole: up, down, and how it is."""

from __future__ import annotations

import errno
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.realcluster import certificates, daemons, kubeconfig, node
from tests.realcluster.api import YAML, Api, ApiError, admin
from tests.realcluster.errors import RealClusterError
from tests.realcluster.image import write
from tests.realcluster.places import API_PORT, NODE_NAME, RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import IO

    from tests.realcluster.command import Commands
    from tests.realcluster.image import Image
    from tests.realcluster.places import Places
    from tests.realcluster.programs import Prepared
    from tests.realcluster.progress import Progress

PKI = RUN / "pki"
KUBECONFIG = RUN / "kubeconfig"
FACTS = RUN / "cluster.json"
COMPLETE = RUN / "complete"  # there when `up` came to its end: a node without it is the rest of a killed run
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CONFIGURED = ("kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kuberay-operator")
CONTAINERS = "k8s.io"  # containerd's namespace for the kubelet
CONTENT = "localhost/content:"
SLOW = 120.0  # seconds after which a machine is not merely busy


class Cluster:
    """Brings the node up step by step."""

    def __init__(self, places: Places, commands: Commands, progress: Progress) -> None:
        self._places, self._commands, self._progress = places, commands, progress

    def up(self, prepared: Prepared, operator: str) -> Path:
        """Start everything and return the kubeconfig's path; a failure leaves nothing behind."""
        node.destroy()  # of a run that was killed: folders and control groups without a node
        if node.foreign_pods():
            raise RealClusterError("pods of another Kubernetes run on this machine: theirs and ours would mix")
        try:
            return self._up(prepared, operator)
        except BaseException:
            with self._progress.step("cleaning up"):
                self._commands.stop_all()
                node.destroy()
            raise

    def _up(self, prepared: Prepared, operator: str) -> Path:
        RUN.mkdir(mode=0o700, parents=True)
        port = free_port()
        self._fresh_state()
        with self._progress.step("certificates and namespaces"):
            make_credentials(port)
            node.create(self._places)
        self._daemons = daemons.table(prepared.programs, self._places.state, port)
        FACTS.write_text(json.dumps(facts(prepared, operator, port, self._places)))
        api = admin(PKI, port)
        with ThreadPoolExecutor(max_workers=1) as pool:
            with self._progress.step("etcd and the API server"):
                self._start("etcd", "containerd", "kube-apiserver", "forward")
                images = pool.submit(self._load, prepared.images)
                node.until(
                    lambda: self._alive("etcd", "kube-apiserver", "forward") and ready(api), SLOW, "the API server"
                )
            with self._progress.step("controllers, kubelet, DNS and the Ray CRDs"):
                self._start("kube-controller-manager", "kube-scheduler", "kube-proxy", "nameserver")
                images.result()
                self._start("kubelet")
                create_crds(api, prepared.crds)
                node.until(lambda: established(api), SLOW, "the Ray CRDs")
            with self._progress.step(f"KubeRay operator v{operator}, node and default service account"):
                self._start("kuberay-operator")
                account = "/api/v1/namespaces/default/serviceaccounts/default"
                node.until(lambda: self._alive("kubelet") and node_ready(api), SLOW, "the node")
                node.until(lambda: api.exists(account), SLOW, "the default service account")
                node.until(lambda: self._alive("kuberay-operator") and operator_ready(), SLOW, "the operator")
        COMPLETE.touch()
        return KUBECONFIG

    def _fresh_state(self) -> None:
        """Drop the last node's data; images stay, for containerd would need long to unpack them again."""
        state = self._places.state
        doomed = [state / name for name in ("etcd", "kubelet", "pods") if (state / name).exists()]
        if doomed:
            self._commands.run(["rm", "-rf", "--one-file-system", *doomed], log=self._places.logs / "up.log")
        for log in self._daemon_logs():
            log.unlink()

    def _daemon_logs(self) -> Iterable[Path]:
        folder = self._places.logs
        return [log for log in folder.glob("*.log") if not log.name.startswith("build-")] if folder.exists() else []

    def _start(self, *names: str) -> None:
        for name in names:
            daemons.start(self._daemons[name], self._places.logs)

    def _alive(self, *names: str) -> bool:
        """True while these run.

        Raises:
            RealClusterError: one has ended; the message carries its last words.
        """
        states = daemons.status()
        for name in names:
            if not states[name]["running"]:
                log = self._places.logs / f"{name}.log"
                words = "\n".join(f"    {line[:400]}" for line in log.read_text(errors="replace").splitlines()[-8:])
                raise RealClusterError(f"{name} ended with {states[name]['code']}:\n{words}\n  all of it: {log}")
        return True

    def _load(self, images: Sequence[Image]) -> None:
        """Give containerd the images it does not have, and drop what the last node's pods have left in it."""
        node.until(lambda: self._alive("containerd") and containerd_ready(), SLOW, "containerd")
        if old := ctr("containers", "list", "--quiet").split():
            ctr("containers", "delete", *old)
        known = ctr("images", "list", "--quiet").split()
        for image in images:
            mark = content_name(image)
            if mark in known:
                continue
            with self._progress.step(f"image {image.name}"):
                self._import(image)
                ctr("images", "tag", "--force", image.name, mark)
        wanted = {content_name(image) for image in images}
        if outdated := [name for name in known if name.startswith(CONTENT) and name not in wanted]:
            ctr("images", "delete", *outdated)

    def _import(self, image: Image) -> None:
        def feed(stdin: IO[bytes]) -> None:
            write(image, stdin)

        argv = node.enter("ctr", "--namespace", CONTAINERS, "images", "import", "-")
        self._commands.run(argv, log=self._places.logs / "images.log", feed=feed)


def content_name(image: Image) -> str:
    """A name that says what is in an image, so that a changed one is loaded again."""
    layers = "-".join(layer.digest[:16] for layer in image.layers)
    return CONTENT + layers


def make_credentials(port: int) -> None:
    """Everyone's key and certificate, and the kubeconfigs of those who need one."""
    PKI.mkdir(mode=0o700)
    certificates.make_authority(PKI)
    for who in certificates.identities():
        certificates.make_certificate(PKI, who)
    authority = PKI / "ca.crt"
    for name in CONFIGURED:
        user = kubeconfig.client_certificate(PKI, name)
        document = kubeconfig.kubeconfig(f"https://127.0.0.1:{API_PORT}", authority, user)
        kubeconfig.write(PKI / f"{name}.kubeconfig", document)
    user = kubeconfig.client_certificate(PKI, "admin")
    kubeconfig.write(KUBECONFIG, kubeconfig.kubeconfig(server(port), authority, user))


def server(port: int) -> str:
    """The API server's address on this machine."""
    return f"https://127.0.0.1:{port}"


def free_port() -> int:
    """6443, or any free port when another program has that one."""
    for port in (API_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            return int(probe.getsockname()[1])
    raise RealClusterError("no free port on 127.0.0.1")


def facts(prepared: Prepared, operator: str, port: int, places: Places) -> dict[str, Any]:
    """What a later run of ours has to know of the running node."""
    return {
        "operator": operator,
        "port": port,
        "cache": str(places.cache),
        "programs": {name: str(program) for name, program in prepared.programs.items()},
    }


def known_facts() -> dict[str, Any]:
    """The running node's facts.

    Raises:
        RealClusterError: there is no node.
    """
    if node.pid() is None or not FACTS.exists():
        raise RealClusterError("the real cluster is not running; start it with `make cluster-up`")
    told: dict[str, Any] = json.loads(FACTS.read_text())
    return told


def ready(api: Api) -> bool:
    """Whether the API server serves."""
    try:
        return bool(api.request("GET", "/readyz", timeout=2) == "ok")
    except ApiError:
        return False


def containerd_ready() -> bool:
    """Whether containerd answers."""
    try:
        ctr("version")
    except RealClusterError:
        return False
    return True


def operator_ready() -> bool:
    """Whether the operator's caches are filled and it reconciles."""
    return daemons.answers(daemons.OPERATOR_PORT, "/readyz")


def node_ready(api: Api) -> bool:
    """Whether the kubelet has said that pods can run."""
    try:
        told = api.request("GET", f"/api/v1/nodes/{NODE_NAME}")
    except ApiError:
        return False
    conditions = {condition["type"]: condition["status"] for condition in told["status"].get("conditions") or ()}
    return conditions.get("Ready") == "True"


def create_crds(api: Api, folder: Path) -> None:
    """Install the operator's resource definitions; the API server reads YAML itself."""
    for file in sorted(folder.glob("*.yaml")):
        api.request("POST", CRDS, file.read_bytes(), YAML)


def established(api: Api) -> bool:
    """Whether every resource definition is served."""
    try:
        listed = api.request("GET", CRDS)
    except ApiError:
        return False
    return all(is_established(definition) for definition in listed["items"])


def is_established(definition: dict[str, Any]) -> bool:
    """Whether the API server serves a resource definition."""
    conditions = definition.get("status", {}).get("conditions") or ()  # null at first
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def ctr(*arguments: str) -> str:
    """Ask the node's containerd."""
    return node.inside("ctr", "--namespace", CONTAINERS, *arguments)
