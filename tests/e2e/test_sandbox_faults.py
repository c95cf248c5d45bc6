"""The sandbox when things go wrong: killed, starved, started twice, insulted; each case has a sandbox of its own."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import pytest
import yaml

from tests.e2e.harness.boxes import STAY, config_map, pod, shell
from tests.e2e.harness.conditions import until
from tests.e2e.harness.objects import raycluster
from tests.e2e.harness.oracle import is_ready
from tests.e2e.harness.running import run
from tests.e2e.harness.sandboxes import Sandbox, left_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.only("sandbox", why="the sandbox's own faults; the real cluster's are in tests/realcluster")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox that has not been started; nothing of it is left after the case."""
    folder = tmp_path / "a föhn"
    folder.mkdir()
    sandbox = Sandbox(folder)
    yield sandbox
    sandbox("stop --forget")
    assert left_of(sandbox.home) == []
    assert not sandbox.home.exists()
    if sandbox.kubeconfig.exists():
        assert not (yaml.safe_load(sandbox.kubeconfig.read_text()) or {}).get("contexts")


@pytest.fixture
def started(own: Sandbox) -> Sandbox:
    """One that runs."""
    own("start")
    return own


def running(sandbox: Sandbox, name: str) -> None:
    """A pod that runs."""
    sandbox.kubectl.create(pod(name, shell("main", STAY)))
    sandbox.kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=30s")


def test_stop_and_start(started: Sandbox) -> None:
    """What was created comes back; pods run again, as after a node's restart; processes end in between."""
    running(started, "keeper")
    before = started.processes("keeper")
    assert before
    started("stop")
    assert not any(each.is_running() for each in before)
    started("start")
    until(lambda: is_ready(started.kubectl.get("pod", "keeper")), "it runs again")
    assert started.kubectl.get("pod", "keeper")["status"]["containerStatuses"][0]["restartCount"] == 1


def test_started_twice(started: Sandbox) -> None:
    """The second start says that it runs; the process is the same."""
    pid = started.main.pid
    assert "runs already" in started("start").out
    assert started.main.pid == pid


def test_two_starts_at_once(own: Sandbox) -> None:
    """One sandbox, and both succeed."""
    starts = [own.begin("start") for _ in range(2)]
    said = [each.communicate(timeout=90) for each in starts]
    assert [each.returncode for each in starts] == [0, 0], said
    assert len([each for each in left_of(own.home) if "kubectl_ray.sandbox.daemon" in each.cmdline()]) == 1


@pytest.mark.parametrize("then", ["start", "stop"])
def test_killed(started: Sandbox, then: str) -> None:
    """Kill -9: its pods' processes outlive it, and the next start or stop ends them."""
    running(started, "orphan")
    orphans = started.processes("orphan")
    started.main.kill()
    until(lambda: not json.loads(started("status -o json").out)["running"], "it is gone")
    said = started(then)
    assert "killed" in said.out + said.err
    until(lambda: not any(each.is_running() for each in orphans), "the processes are ended")
    if then == "start":
        until(lambda: is_ready(started.kubectl.get("pod", "orphan")), "its pods run again")


def test_terminated(started: Sandbox) -> None:
    """SIGTERM from elsewhere is an orderly end."""
    running(started, "polite")
    of_pod = started.processes("polite")
    main = started.main
    main.send_signal(signal.SIGTERM)
    main.wait(30)
    assert not any(each.is_running() for each in of_pod)


def test_ray_processes_killed(started: Sandbox) -> None:
    """Kill -9 of a worker's and of a head's Ray: the containers restart, the cluster is ready again, state stays."""
    started.ray("cluster create it --worker-replicas=1")
    (worker,) = started.kubectl.names("pods", "ray.io/node-type=worker")
    (head,) = started.kubectl.names("pods", "ray.io/node-type=head")
    for name, program in ((worker, "raylet"), (head, "gcs_server")):
        until(lambda: kill(started, name, program), f"{program} of {name} is there to be killed")  # noqa: B023
        until(lambda: restarts(started, name) == 1, f"{name} has been restarted", within=90)  # noqa: B023
        until(
            lambda: all(map(is_ready, started.kubectl.pods("it"))),
            f"all is ready again after {name}",
            within=120,
        )
        assert started.kubectl.get("raycluster", "it")["status"]["state"] == "ready"
    assert started.ray("cluster list").out.count("1/1") == 1


def kill(sandbox: Sandbox, name: str, program: str) -> bool:
    """Kill -9 one program of a pod; whether it was there."""
    found = [each for each in sandbox.processes(name) if each.name() == program]
    for each in found:
        each.kill()
    return bool(found)


def restarts(sandbox: Sandbox, name: str) -> int:
    """Of a pod's first container."""
    count: int = sandbox.kubectl.get("pod", name)["status"]["containerStatuses"][0]["restartCount"]
    return count


def test_two_clusters_side_by_side(started: Sandbox) -> None:
    """Two clusters are two Rays: each has its own session, and a head of one does not see the other's nodes."""
    for name in ("left", "right"):
        head = {"containers": [{"name": "ray-head", "image": "rayproject/ray:2.52.0"}]}
        started.kubectl.create(raycluster(name, headGroupSpec={"rayStartParams": {}, "template": {"spec": head}}))
    sessions = set()
    for name in ("left", "right"):
        ready = lambda each=name: started.kubectl.get("raycluster", each).get("status", {}).get("state") == "ready"  # noqa: E731
        until(ready, f"{name} is ready", within=120)
        path = f"/api/v1/namespaces/default/services/{name}-head-svc:dashboard/proxy"
        sessions.add(json.loads(started.kubectl("get", "--raw", f"{path}/api/version"))["session_name"])
        nodes = json.loads(started.kubectl("get", "--raw", f"{path}/nodes?view=summary"))
        assert len(nodes["data"]["summary"]) == 1
    assert len(sessions) == 2


def test_full_disk(started: Sandbox) -> None:
    """A write that the disk does not take is an error with words and changes nothing; with room, it goes on."""
    running(started, "before")
    started.starve()
    said = run(
        "kubectl create -f -", started.env, started.folder, stdin=json.dumps(config_map("refused", text="x" * 300_000))
    ).expect(1)
    assert "Internal error" in said.err
    assert started.kubectl.find("configmap", "refused") is None
    assert started.kubectl.find("pod", "before") is not None
    started.feed()
    started.kubectl.create(config_map("taken"))
    assert is_ready(started.kubectl.get("pod", "before"))


def test_a_port_that_is_taken(own: Sandbox) -> None:
    """One clear error, and nothing is left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = own(f"start --port {taken.getsockname()[1]}", code=1)
    assert "in use" in said.err
    assert left_of(own.home) == []


def test_a_folder_that_cannot_be_written(own: Sandbox) -> None:
    """One clear error."""
    own.home.write_text("a file in its place")
    assert str(own.home) in own("start", code=1).err
    own.home.unlink()


def test_wrong_token(started: Sandbox) -> None:
    """401 for a token that it did not give out, 403 for none at all."""
    config = yaml.safe_load(started.kubeconfig.read_text())
    config["users"][0]["user"]["token"] = "not-this-one"
    wrong = started.folder / "wrong"
    wrong.write_text(json.dumps(config))
    said = run(f"kubectl get pods --kubeconfig '{wrong}'", started.env, started.folder).expect(1)
    assert "You must be logged in" in said.err
    context = ssl.create_default_context(cadata=_authority(config))
    where = urlsplit(config["clusters"][0]["cluster"]["server"])
    nobody = http.client.HTTPSConnection(where.hostname or "", where.port, context=context, timeout=10)
    nobody.request("GET", "/api/v1/pods")
    answer = nobody.getresponse()
    assert answer.status == 403
    assert "system:anonymous" in json.load(answer)["message"]
    nobody.close()


def _authority(config: dict[str, Any]) -> str:
    """Who signed the server's certificate, in PEM."""
    return base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()


def test_only_from_this_machine(started: Sandbox) -> None:
    """It listens on loopback only, and so does all that its pods open."""
    started.ray("cluster create it --worker-replicas=1")
    pids = {started.main.pid} | {each.pid for name in started.kubectl.names("pods") for each in started.processes(name)}
    listening = [each for each in psutil.net_connections("tcp") if each.status == "LISTEN" and each.pid in pids]
    open_to = {each.laddr[0] for each in listening if each.laddr}
    assert open_to
    assert all(ip.removeprefix("::ffff:").startswith("127.") or ip == "::1" for ip in open_to), open_to


def request(line: bytes, more: bytes = b"", body: bytes = b"") -> bytes:
    """A request with the right login, whatever else is wrong with it."""
    return line + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n" + more + b"\r\n" + body


MAPS = b"POST /api/v1/namespaces/default/configmaps"
JSON = b"Content-Type: application/json\r\n"
MALFORMED = [
    b"\x00\x01\x02\x03\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    request(b"GET /api/v1/pods?limit=many"),
    request(b"GET /api/v1/pods?watch=1&resourceVersion=abc"),
    request(MAPS, JSON + b"Content-Length: 3\r\n", b"{{{"),
    request(MAPS, JSON + b"Content-Length: 99\r\n", b"[[[["),
    request(b"PATCH /api/v1/namespaces/default", b"Content-Type: text/plain\r\nContent-Length: 2\r\n", b"hi"),
    request(b"GET /api/v1/namespaces/../../etc/passwd"),
    request(b"GET /api/v1/namespaces/%00/pods/%2e%2e"),
]


@pytest.mark.parametrize("sent", MALFORMED)
def test_malformed_requests(started: Sandbox, sent: bytes) -> None:
    """Whatever comes, it answers with an error or hangs up, and goes on."""
    config = yaml.safe_load(started.kubeconfig.read_text())
    where = urlsplit(config["clusters"][0]["cluster"]["server"])
    token = config["users"][0]["user"]["token"].encode()
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection((where.hostname or "", where.port or 0), timeout=10)
    with context.wrap_socket(plain) as secure:
        secure.sendall(sent.replace(b"TOKEN", token))
        try:
            answer = secure.recv(65536) if b"99" not in sent else b""
        except OSError:
            answer = b""
    assert not answer or answer.split()[1][:1] in (b"4", b"5"), answer
    assert started.kubectl("get", "--raw", "/readyz") == "ok"
