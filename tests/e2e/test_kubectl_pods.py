"""What kubectl does inside pods: logs in every form, exec with exit codes and stdin, copies, forwarded ports."""

from __future__ import annotations

import json
import shlex
import socket
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness.boxes import STAY, pod, shell, talker
from tests.e2e.harness.conditions import until
from tests.e2e.harness.live import Live
from tests.e2e.harness.running import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.harness.live import Outcome
    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.plugin import Suite

SERVER = (
    "import http.server as h,os; os.chdir(os.environ['SHOWN']);"
    " h.ThreadingHTTPServer(('', int(os.environ['PORT'])), h.SimpleHTTPRequestHandler).serve_forever()"
)


@pytest.fixture(scope="module")
def box(suite: Suite) -> Iterator[str]:
    """A pod of two containers; the first has crashed once and runs again."""
    suite.kubectl.create(talker("box"))
    until(lambda: restarted(suite.kubectl, "box"), "its second life", within=90)
    suite.kubectl("wait", "pod/box", "--for=condition=Ready", "--timeout=60s")
    yield "box"
    suite.kubectl("delete", "pod", "box", "--wait=false")


def restarted(kubectl: Kubectl, name: str) -> bool:
    """The first container runs for the second time."""
    statuses = {each["name"]: each for each in kubectl.get("pod", name)["status"].get("containerStatuses", [])}
    return bool(statuses) and statuses["main"]["restartCount"] == 1 and "running" in statuses["main"]["state"]


def said(kubectl: Kubectl, line: str, code: int = 0, stdin: str | None = None) -> Outcome:
    """What kubectl says to a line that a person types."""
    return run(f"kubectl {line}", kubectl.env, kubectl.cwd, stdin=stdin).expect(code)


def looking(kubectl: Kubectl, line: str) -> Live:
    """Start a kubectl that stays."""
    return Live(line, shlex.split(f"kubectl {line}"), kubectl.env, str(kubectl.cwd), terminal=False)


def test_table(kubectl: Kubectl, box: str) -> None:
    """READY, STATUS and RESTARTS as kubectl shows them."""
    row = kubectl("get", "pod", box, "--no-headers").split()
    assert row[:4] == [box, "2/2", "Running", "1"]


def test_what_the_first_life_left(kubectl: Kubectl, box: str) -> None:
    """Exit code and reason of the run before are in the status."""
    main = next(each for each in kubectl.get("pod", box)["status"]["containerStatuses"] if each["name"] == "main")
    assert main["lastState"]["terminated"]["exitCode"] == 3
    assert main["lastState"]["terminated"]["reason"] == "Error"


def test_logs(kubectl: Kubectl, box: str) -> None:
    """Both streams of a container, in no certain order: they are two pipes; of the first one where none is named."""
    assert sorted(said(kubectl, f"logs {box}").lines) == ["second life", "to the end"]
    assert said(kubectl, f"logs {box} -c side").lines == [f"line {n}" for n in range(1, 6)]


def test_logs_of_the_run_before(kubectl: Kubectl, box: str) -> None:
    """-p; a container that had none says so."""
    assert said(kubectl, f"logs {box} -c main -p").out == "first life\n"
    refused = said(kubectl, f"logs {box} -c side -p", code=1)
    assert 'previous terminated container "side" in pod "box" not found' in refused.err


def test_logs_in_part(kubectl: Kubectl, box: str) -> None:
    """--tail, --since and --limit-bytes."""
    assert said(kubectl, f"logs {box} -c side --tail=2").lines == ["line 4", "line 5"]
    assert said(kubectl, f"logs {box} -c side --since=1h --limit-bytes=6").out == "line 1"
    until(lambda: said(kubectl, f"logs {box} -c side --since=1s").out == "", "a second without words")


def test_logs_with_times(kubectl: Kubectl, box: str) -> None:
    """--timestamps, --all-containers and --prefix."""
    first = said(kubectl, f"logs {box} -c side --timestamps").lines[0]
    assert first.endswith("Z line 1")
    assert first[:2] == "20"
    lines = said(kubectl, f"logs {box} --all-containers --prefix").lines
    assert "[pod/box/side] line 1" in lines
    assert "[pod/box/main] second life" in lines


def test_logs_of_nothing(kubectl: Kubectl, box: str) -> None:
    """A pod, and a container, that are not there."""
    assert 'pods "nosuch" not found' in said(kubectl, "logs nosuch", code=1).err
    assert "container nosuch is not valid for pod box" in said(kubectl, f"logs {box} -c nosuch", code=1).err


def test_logs_followed(kubectl: Kubectl) -> None:
    """-f shows lines as they come and ends with the container."""
    kubectl.create(pod("speaker", shell("main", "echo one; sleep 2; echo two"), restartPolicy="Never"))
    try:
        kubectl("wait", "pod/speaker", "--for=jsonpath={.status.phase}=Running", "--timeout=60s")
        with looking(kubectl, "logs -f speaker") as seen:
            seen.see("one")
            assert seen.ended(within=30).expect(0).out == "one\ntwo\n"
        kubectl("wait", "pod/speaker", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s")
    finally:
        kubectl("delete", "pod", "speaker", "--wait=false")


def test_exec(kubectl: Kubectl, box: str) -> None:
    """Output, both streams apart, and arguments exactly as given."""
    done = said(kubectl, f"""exec {box} -c side -- sh -c 'echo out; echo err >&2'""")
    assert done.out == "out\n"
    assert "err\n" in done.err
    done = said(kubectl, f"""exec {box} -c side -- printf '[%s]' 'a b' '$HOME' '*' 'ü'""")
    assert done.out == "[a b][$HOME][*][ü]"


@pytest.mark.parametrize("code", [1, 7, 137])
def test_exec_exit_codes(kubectl: Kubectl, box: str, code: int) -> None:
    """The command's exit code is kubectl's."""
    assert f"exit code {code}" in said(kubectl, f"exec {box} -c side -- sh -c 'exit {code}'", code=code).err


def test_exec_stdin(kubectl: Kubectl, box: str) -> None:
    """-i: what is fed comes through, and its end too."""
    assert said(kubectl, f"exec -i {box} -c side -- wc -c", stdin="x" * 100_000).out.strip() == "100000"


def test_exec_much(kubectl: Kubectl, box: str) -> None:
    """A megabyte of output is whole."""
    assert len(said(kubectl, f"exec {box} -c side -- head -c 1000000 /dev/zero").out) == 1_000_000


def test_exec_of_nothing(kubectl: Kubectl, box: str) -> None:
    """A command that is not there, a container that is not there."""
    done = run(f"kubectl exec {box} -c side -- no-such-command", kubectl.env, kubectl.cwd)
    assert done.code in (1, 126, 127)  # as the container runtime has it
    assert 'exec: "no-such-command": executable file not found in $PATH' in done.err
    assert "container nosuch is not valid for pod box" in said(kubectl, f"exec {box} -c nosuch -- true", code=1).err


def test_exec_on_a_terminal(kubectl: Kubectl, box: str) -> None:
    """-it: a terminal over there, keys from here."""
    line = f"kubectl exec -it {box} -c side -- sh"
    with Live(line, shlex.split(line), kubectl.env, str(kubectl.cwd), terminal=True) as shell_there:
        shell_there.keys("test -t 0 && echo a ter''minal\n")
        shell_there.see("a terminal")
        shell_there.keys("exit 4\n")
        assert shell_there.ended().code == 4


def test_copies(kubectl: Kubectl, box: str, tmp_path: Path) -> None:
    """`kubectl cp` in both directions, through tar in the pod."""
    sent = tmp_path / "sent"
    sent.mkdir()
    (sent / "a.txt").write_text("hello\n")
    (sent / "b.bin").write_bytes(bytes(range(256)) * 1000)
    kubectl("cp", str(sent), f"{box}:/data/copied", "-c", "main")
    assert said(kubectl, f"exec {box} -c main -- cat /data/copied/a.txt").out == "hello\n"
    kubectl("cp", f"{box}:/data/copied", str(tmp_path / "back"), "-c", "main")
    assert (tmp_path / "back" / "b.bin").read_bytes() == bytes(range(256)) * 1000


def test_forwarded_port(kubectl: Kubectl) -> None:
    """A local port that reaches the pod, many connections after one another; a port where nobody listens."""
    served = shell(
        "main",
        f'echo served > "$SHOWN/it.txt"; exec python3 -c "{SERVER}"',
        env=[{"name": "PORT", "value": "8123"}, {"name": "SHOWN", "value": "/shown"}],
        ports=[{"containerPort": 8123, "name": "web"}],
        volumeMounts=[{"name": "shown", "mountPath": "/shown"}],
        readinessProbe={"tcpSocket": {"port": 8123}, "periodSeconds": 1},
    )
    kubectl.create(pod("served", served, labels={"app": "served"}, volumes=[{"name": "shown", "emptyDir": {}}]))
    kubectl("expose", "pod", "served", "--port=80", "--target-port=web")
    try:
        kubectl("wait", "pod/served", "--for=condition=Ready", "--timeout=60s")
        for target in ("pod/served", "service/served"):
            wanted = ":8123" if target.startswith("pod") else ":80"
            with looking(kubectl, f"port-forward {target} {wanted}") as forward:
                port = int(forward.see("->").split("127.0.0.1:")[1].split(" ")[0])
                for _ in range(5):
                    assert fetched(port, "/it.txt").endswith(b"\r\n\r\nserved\n")
        with looking(kubectl, "port-forward pod/served :9") as forward:
            port = int(forward.see("->").split("127.0.0.1:")[1].split(" ")[0])
            assert fetched(port, "/") == b""
            forward.see("onnection refused")
    finally:
        kubectl("delete", "pod,service", "served", "--wait=false")


def fetched(port: int, path: str) -> bytes:
    """The whole answer of a plain web server; what there was where the connection is cut."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        whole = b""
        try:
            while piece := connection.recv(65536):
                whole += piece
        except ConnectionError:
            pass
        return whole


def test_service_proxy(kubectl: Kubectl, ready_cluster: str, namespace: str) -> None:
    """The API server hands requests on to a service's pod; one without pods says so."""
    path = f"/api/v1/namespaces/{namespace}/services/{ready_cluster}-head-svc:dashboard/proxy"
    assert json.loads(kubectl("get", "--raw", f"{path}/api/version"))["ray_version"]
    refused = said(kubectl, f"get --raw {path.replace('dashboard', 'nosuch')}/", code=1)
    assert "no endpoints available for service" in refused.err or "no service port" in refused.err


def test_describe_pod(kubectl: Kubectl, box: str) -> None:
    """Containers, states and the kubelet's events."""
    page = kubectl("describe", "pod", box)
    assert "Restart Count:  1" in page
    assert "Exit Code:    3" in page
    until(lambda: "Scheduled" in kubectl("describe", "pod", box), "the scheduler's event")
    assert "Successfully assigned" in kubectl("events", "--for", f"pod/{box}")


def test_run_and_attach(kubectl: Kubectl) -> None:
    """`kubectl run` with a command, to its end, with its output."""
    done = said(
        kubectl,
        "run once --image=rayproject/ray:2.52.0 --restart=Never --attach --rm --quiet --command"
        " -- sh -c 'sleep 1; echo ran'",
    )
    assert "ran" in done.out


def test_environment_and_files(kubectl: Kubectl) -> None:
    """Config maps and secrets reach a container as variables and as files; the pod knows its own name."""
    kubectl("create", "configmap", "given", "--from-literal=colour=red")
    kubectl("create", "secret", "generic", "given", "--from-literal=word=hush")
    env = [
        {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "given", "key": "colour"}}},
        {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "given", "key": "word"}}},
        {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    mounts = [{"name": "c", "mountPath": "/etc/given"}, {"name": "s", "mountPath": "/etc/hidden"}]
    volumes = [{"name": "c", "configMap": {"name": "given"}}, {"name": "s", "secret": {"secretName": "given"}}]
    script = 'echo "$COLOUR $WORD $ME"; cat /etc/given/colour /etc/hidden/word'
    reader = pod("reader", shell("main", script, env=env, volumeMounts=mounts), volumes=volumes, restartPolicy="Never")
    kubectl.create(reader)
    try:
        kubectl("wait", "pod/reader", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
        assert said(kubectl, "logs reader").out == "red hush reader\nredhush"
    finally:
        kubectl("delete", "pod/reader", "configmap/given", "secret/given", "--wait=false")


def test_wrong_start(kubectl: Kubectl) -> None:
    """A command that is not there crashes the container before it starts, and kubectl shows why."""
    wrong = pod("wrong", {**shell("main", STAY), "command": ["no-such-command"]})
    kubectl.create(wrong)
    try:
        shown = ("CrashLoopBackOff", "RunContainerError")
        until(lambda: kubectl("get", "pod", "wrong", "--no-headers").split()[2] in shown, "it crashes")
        until(lambda: "no-such-command" in kubectl("describe", "pod", "wrong"), "the reason is told")
    finally:
        kubectl("delete", "pod", "wrong", "--wait=false")
