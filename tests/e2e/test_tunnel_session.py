"""`kubectl ray cluster session`: the promised lines, ports that really answer, and whatever else people ask of it."""

from __future__ import annotations

import json
import re
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.e2e.harness.conditions import until
from tests.e2e.harness.objects import suspended
from tests.e2e.harness.running import run
from tests.e2e.harness.sessions import changes, listening, opened
from tests.e2e.harness.sockets import IPV4, IPV6, answered, need_ipv6, nobody_listens, taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray
    from tests.e2e.harness.sessions import Session
    from tests.e2e.plugin import Suite

ANY = "--ports dashboard --port dashboard=0"
"""One port, whichever is free."""
CLIENT_TRIES = 5
DIED_AS_FORKED = "RuntimeError: Starting Ray client server failed. See ray_client_server_"
REMOTE = """
import ray
ray.init("ray://127.0.0.1:PORT", log_to_driver=False)

@ray.remote
def squared(number):
    return number * number

print("answer", sum(ray.get([squared.remote(number) for number in range(10)])))
ray.shutdown()
"""


@pytest.fixture(scope="module")
def session(suite: Suite, ready_cluster: str) -> Iterator[Session]:
    """One that is open with its usual ports."""
    with opened(suite.ray, ready_cluster, "client", "dashboard") as made:
        yield made


def test_promised_lines(session: Session) -> None:
    """stdout: exactly these; stderr: the addresses to paste, which lead to the ports that were said."""
    client, dashboard = session.port("client"), session.port("dashboard")
    assert session.running.out.splitlines() == [
        "Connecting...",
        f"Ray Interactive Client Session started on port {client}...",
        f"Ray Dashboard Session started on port {dashboard}...",
    ]
    said = session.see("Ctrl-C", within=10)
    assert f'ray.init("ray://127.0.0.1:{client}")' in said
    assert f"http://127.0.0.1:{dashboard}" in said
    assert f"export RAY_ADDRESS=ray://127.0.0.1:{client}" in said
    for port, usual in ((client, 10001), (dashboard, 8265)):
        assert port == usual or f"Port {usual} is taken on this machine; {port} is used instead." in said


def test_usual_ports_answer(session: Session) -> None:
    """The dashboard's API, by IPv4."""
    assert answered(session.port("dashboard"))["ray_version"] == "2.52.0"


def test_listens_on_loopback_only(session: Session) -> None:
    """127.0.0.1 and ::1, the same ports on both, and nothing else."""
    need_ipv6()
    ports = (session.port("client"), session.port("dashboard"))
    assert listening(session) == {(address, port) for address in (IPV4, IPV6) for port in ports}
    assert answered(session.port("dashboard"), host=IPV6)["ray_version"] == "2.52.0"


def test_ray_client(session: Session, suite: Suite) -> None:
    """A real Ray client runs a remote function on the cluster through it.

    Now and then the head's own server for a client dies as it is forked (github.com/ray-project/ray/issues/63202): Ray
    says so in an answer that came all the way through the tunnel, and the next try gets another server.
    """
    program = suite.folder / "client.py"
    program.write_text(REMOTE.replace("PORT", str(session.port("client"))))
    for _ in range(CLIENT_TRIES):
        done = run(f"{sys.executable} {program}", suite.ray.env, suite.folder, within=90)
        if DIED_AS_FORKED not in done.err:
            break
    assert "answer 285" in done.expect(0).out


def test_second_session(session: Session, ray: Ray, ready_cluster: str) -> None:
    """It says that one is open already, with its address, and opens other ports."""
    with opened(ray, ready_cluster, "client", "dashboard") as second:
        said = second.see("Ctrl-C", within=10)
        assert f"A session to {ready_cluster} is open already" in said
        assert f"http://127.0.0.1:{session.port('dashboard')}" in said
        assert not {second.port("client"), second.port("dashboard")} & set(session.ports)
        assert answered(second.port("dashboard")) == answered(session.port("dashboard"))


def test_session_list(session: Session, ray: Ray, ready_cluster: str) -> None:
    """What is open on this machine, for people and for programs."""
    told = json.loads(ray("session list -o json").out)
    assert str(session.port("dashboard")) in json.dumps(told)
    row = next(row for row in ray("session list").rows if row[0] == ready_cluster)
    assert str(session.process.pid) in row


def test_of_one_port(ray: Ray, ready_cluster: str) -> None:
    """--ports chooses which, --port where."""
    with opened(ray, f"{ready_cluster} {ANY}", "dashboard") as session:
        port = session.port("dashboard")
        assert session.running.out == f"Connecting...\nRay Dashboard Session started on port {port}...\n"
        assert {each for _address, each in listening(session)} == {port}
        assert answered(port)["ray_version"] == "2.52.0"


def test_taken_port(ray: Ray, ready_cluster: str) -> None:
    """The next free one is used, and said; a port that is taken by IPv6 alone is taken."""
    for address in (IPV4, IPV6):
        if address == IPV6:
            need_ipv6()
        with (
            taken(address) as port,
            opened(ray, f"{ready_cluster} --ports dashboard --port dashboard={port}", "dashboard") as session,
        ):
            other = session.port("dashboard")
            assert other > port
            session.see(f"Port {port} is taken on this machine; {other} is used instead.", within=10)
            assert {each for _address, each in listening(session)} == {other}


def test_one_address(ray: Ray, ready_cluster: str) -> None:
    """--address: there and nowhere else."""
    with opened(ray, f"{ready_cluster} {ANY} --address 127.0.0.1", "dashboard") as session:
        assert listening(session) == {(IPV4, session.port("dashboard"))}


def test_metrics(ray: Ray, ready_cluster: str) -> None:
    """Where asked, the metrics' port too."""
    with opened(ray, f"{ready_cluster} --ports metrics --port metrics=0", "metrics") as session:
        assert session.running.out.splitlines()[-1] == (
            f"Ray Metrics Session started on port {session.port('metrics')}..."
        )


def test_json(ray: Ray, ready_cluster: str) -> None:
    """-o json: one object a line and nothing else on stdout; each has its time."""
    with ray.live(f"cluster session {ready_cluster} {ANY} -o json") as running:
        running.see('"ready"')
        until(lambda: running.out.endswith("\n"), "the line's end")
        told = [each for each in changes(running.out) if each["change"] not in {"waiting", "remark"}]
        assert [each["change"] for each in told] == ["connecting", "started", "ready"]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", each["time"]) for each in told)
        assert told[1]["name"] == "dashboard"
        port = told[1]["local"]
        assert told[2]["urls"] == {"dashboard": f"http://127.0.0.1:{port}"}
        assert answered(port)["ray_version"] == "2.52.0"
        running.interrupt()
        assert running.ended(within=5).code == -signal.SIGINT
    assert nobody_listens(port)


def test_command(ray: Ray, suite: Suite, ready_cluster: str) -> None:
    """`-- COMMAND`: its stdin and stdout are ours, its variables lead to the session, and its exit code is the end."""
    program = suite.folder / "command.py"
    program.write_text(
        "import json, os, sys, urllib.request as u\n"
        "names = ['RAY_ADDRESS', 'RAY_API_SERVER_ADDRESS', 'RAY_AUTH_MODE', 'RAY_AUTH_TOKEN']\n"
        "told = {name: os.environ.get(name) for name in names}\n"
        "told['version'] = json.load(u.urlopen(told['RAY_API_SERVER_ADDRESS'] + '/api/version'))['ray_version']\n"
        "told['typed'] = sys.stdin.read()\n"
        "print(json.dumps(told))\n"
        "sys.exit(7)\n"
    )
    done = ray(f"cluster session {ready_cluster} -- {sys.executable} {program} --port x", code=7, stdin="typed words")
    told = json.loads(done.out)
    assert re.fullmatch(r"ray://127\.0\.0\.1:\d+", told["RAY_ADDRESS"])
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", told["RAY_API_SERVER_ADDRESS"])
    assert (told["RAY_AUTH_MODE"], told["RAY_AUTH_TOKEN"]) == (None, None)
    assert (told["version"], told["typed"]) == ("2.52.0", "typed words")
    assert "Connecting..." in done.err
    assert nobody_listens(int(told["RAY_API_SERVER_ADDRESS"].rpartition(":")[2]))


@pytest.mark.parametrize(
    ("command", "code"),
    [("sh -c 'kill -9 $$'", 137), ("no-such-program-at-all", 127), ("./no-program", 126)],
    ids=["killed", "missing", "no-program"],
)
def test_command_that_fails(ray: Ray, ready_cluster: str, command: str, code: int) -> None:
    """As a shell tells it: killed by a signal, not there, not to be executed."""
    (ray.cwd / "no-program").write_text("a text")
    ray(f"cluster session {ready_cluster} {ANY} -- {command}", code=code)


def test_command_and_sigterm(ray: Ray, ready_cluster: str) -> None:
    """SIGTERM is handed on to the command, which ends as it wants."""
    script = "trap 'echo told; exit 3' TERM; echo it runs; while :; do sleep 0.1; done"
    with ray.live(f'cluster session {ready_cluster} {ANY} -- sh -c "{script}"') as running:
        running.see("it runs")
        running.process.send_signal(signal.SIGTERM)
        ended = running.ended(within=10)
    assert (ended.code, ended.out) == (3, "it runs\ntold\n")


def test_background(ray: Ray, stand_in: str) -> None:
    """--background comes back when the ports answer; the session stays until it is stopped, by name."""
    began = ray(f"cluster session {stand_in} {ANY} --background")
    port = int(re.findall(r"Ray Dashboard Session started on port (\d+)\.\.\.", began.out)[0])
    (process,) = [each for each in psutil.process_iter() if _listens(each, port)]
    assert answered(port)["ray_version"] == "2.52.0"
    assert any(row[0] == stand_in and str(process.pid) in row for row in ray("session list").rows)
    stopped = ray(f"session stop {stand_in}")
    assert stand_in in stopped.out + stopped.err
    assert nobody_listens(port)
    until(lambda: not process.is_running(), "its process is gone", within=5)
    assert not any(row[0] == stand_in for row in ray("session list").rows)


def test_background_that_fails(ray: Ray) -> None:
    """What went wrong is said by the command that was typed, with its exit code; nothing stays."""
    assert "nosuch" in ray("cluster session nosuch --background", code=5, within=20).err
    assert not any(row[0] == "nosuch" for row in ray("session list").rows)


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        return any(each.laddr.port == port and each.status == "LISTEN" for each in process.net_connections("tcp"))
    except psutil.Error:
        return False


def test_other_words(ray: Ray, ready_cluster: str) -> None:
    """The other plugin's `session TYPE/NAME`, and a bare name there."""
    for words in (f"session raycluster/{ready_cluster}", f"session {ready_cluster}"):
        with ray.live(f"{words} {ANY}") as running:
            running.see("Ray Dashboard Session started on port ")
            running.interrupt()
            assert running.ended(within=5).code == -signal.SIGINT


def test_unknown_cluster(ray: Ray, ready_cluster: str) -> None:
    """Exit code 5 at once, and the near name."""
    said = ray(f"cluster session {ready_cluster}x", code=5, within=10)
    assert ready_cluster in said.err.replace(f"{ready_cluster}x", "")


def test_unknown_type(ray: Ray) -> None:
    """A type that has no head is a wrong use."""
    assert "rayservice/" in ray("cluster session deployment/x", code=2, within=10).err


def test_suspended(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """At the start: exit code 3 at once, with how to resume; nothing is changed."""
    name = fresh("asleep")
    kubectl.create(suspended(name))
    said = ray(f"cluster session {name}", code=3, within=20)
    assert "suspended" in said.err
    assert "Resume it:" in said.err
    assert kubectl.get("raycluster", name)["spec"]["suspend"] is True


def test_not_ready_yet(ray: Ray, fresh: Callable[[str], str]) -> None:
    """It waits, says for what, and gives up by --timeout with exit code 3; stdout has no port until then."""
    name = fresh("wait")
    ray(f"cluster create {name} --no-wait --head-node-selectors=nowhere=here")
    with ray.live(f"cluster session {name} --timeout=5s") as running:
        running.see("Waiting for", within=10)
        ended = running.ended(within=20).expect(3)
    assert "Waiting for the head (no room" in ended.err
    assert ended.out == "Connecting...\n"
