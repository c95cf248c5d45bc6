"""`cluster session`: what it says, to a person and to a program, and what it asks its tunnel for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.commands.cluster.session import ALL_SAID
from kubectl_ray.errors import CommandNotStarted, NotFound, WrongUse
from kubectl_ray.flows.session_json import Remark
from kubectl_ray.flows.sessions import Registry
from kubectl_ray.flows.tunnel_changes import Absent, Lost, Moved, Reconnected, Suspended, Waiting
from tests.kuberay import cluster
from tests.unit.commands.cluster.tunnels import run, started

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.kuberay import World

ANY = "0.0.0.0"  # noqa: S104 -- nothing listens there
BOTH = (started("client"), started("dashboard"))


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A registry of its own."""
    return {"XDG_STATE_HOME": str(tmp_path)}


def test_the_promised_lines(world: World, home: dict[str, str]) -> None:
    """These lines and no others are on stdout; what to paste comes on stderr when all ports answer."""
    ran = run(world, "cluster session my-cluster", *BOTH, env=home)

    assert ran.out == (
        "Connecting...\n"
        "Ray Interactive Client Session started on port 10001...\n"
        "Ray Dashboard Session started on port 8265...\n"
    )
    assert ran.err == (
        'In Python:  ray.init("ray://127.0.0.1:10001")\n'
        "Dashboard:  http://127.0.0.1:8265\n"
        "In a shell: export RAY_ADDRESS=ray://127.0.0.1:10001\n"
        "            export RAY_API_SERVER_ADDRESS=http://127.0.0.1:8265\n"
        "Press Ctrl-C to end.\n"
    )
    assert ran.if_interrupted == "The session is over; Ray cluster my-cluster goes on."
    assert ran.ctx.made.closed


def test_every_line_fits(world: World, home: dict[str, str]) -> None:
    """80 columns are enough for all ports."""
    ran = run(world, "cluster session my-cluster --ports all", *BOTH, started("serve"), started("metrics"), env=home)

    assert "Ray Serve Session started on port 8000...\nRay Metrics Session started on port 8080...\n" in ran.out
    assert "Serve:      http://127.0.0.1:8000\nMetrics:    http://127.0.0.1:8080/metrics\n" in ran.err
    assert max(map(len, (ran.out + ran.err).splitlines())) <= 80


@pytest.mark.parametrize(
    ("flags", "ports"),
    [
        ("my-cluster", [("client", 10001), ("dashboard", 8265)]),
        ("rayjob/x", [("client", 10001), ("dashboard", 8265)]),
        ("RayServices/x", [("client", 10001), ("dashboard", 8265), ("serve", 8000)]),
        ("x --port dashboard=9000", [("client", 10001), ("dashboard", 9000)]),
        ("x --port metrics=0", [("client", 10001), ("dashboard", 8265), ("metrics", 0)]),
        ("x --ports dashboard", [("dashboard", 8265)]),
        ("x --ports dashboard --ports client", [("dashboard", 8265), ("client", 10001)]),
        ("x --ports Serve,client,serve --port serve=81", [("serve", 81), ("client", 10001)]),
    ],
)
def test_which_ports(world: World, home: dict[str, str], flags: str, ports: list[tuple[str, int]]) -> None:
    """The usual ones of its type; those named instead; a port that has a number is one of them."""
    assert run(world, f"cluster session {flags}", env=home).ports == ports


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--port 9000", "which"),
        ("--port gcs=9000", "client, dashboard, serve, metrics"),
        ("--port dashboard=99999", "from 1 to 65535"),
        ("--port dashboard=-1", "from 1 to 65535"),
        ("--port dashboard=\uff18", "from 1 to 65535"),
        ("--port dashboard=", "from 1 to 65535"),
        ("--port dashboard=1 --port dashboard=2", "given twice"),
        ("--port dashboard=1 --port client=1", "cannot both have port 1"),
        ("--ports gcs", "client, dashboard, serve, metrics"),
        ("--ports ''", "client, dashboard, serve, metrics"),
        ("--address example.com", "localhost or an IP address"),
        ("--address ''", "localhost or an IP address"),
        ("-o json -- true", "do not go together"),
        ("--background -- true", "do not go together"),
        ("--", "no command behind --"),
        ("-o yaml", "invalid choice"),
    ],
)
def test_wrong_use(world: World, flags: str, words: str) -> None:
    """Refused before anything is asked of the cluster, in words that name what there is."""
    with pytest.raises(WrongUse, match=words):
        run(world, f"cluster session x {flags}")
    assert not world.api.requests


def test_another_type(world: World) -> None:
    """Only what has a head."""
    with pytest.raises(WrongUse, match="raycluster, a rayjob or a rayservice"):
        run(world, "cluster session deployment/x")


def test_a_command_that_is_not_there(world: World) -> None:
    """Known before anything is opened, with a shell's exit code."""
    with pytest.raises(CommandNotStarted) as caught:
        run(world, "cluster session x -- no-such-command")
    assert caught.value.exit_code == 127
    assert not world.api.requests


def test_the_only_cluster(world: World, home: dict[str, str]) -> None:
    """Where there is one it need not be named; which one it is, is said."""
    world.add(cluster("a"))

    ran = run(world, "cluster session", env=home)

    assert ran.ctx.made.target.name == "a"
    assert ran.err.startswith("A session with Ray cluster a, the only one in namespace default.\n")


def test_taken_port(world: World, home: dict[str, str]) -> None:
    """Another port is used, and said; 0 is any port, and no other."""
    ran = run(world, "cluster session x", started("client", 10002), started("dashboard", 40000, wanted=0), env=home)

    assert "Session started on port 10002...\n" in ran.out
    assert ran.err.startswith("Port 10001 is taken on this machine; 10002 is used instead.\n")
    assert ran.err.count("is taken") == 1
    assert "ray://127.0.0.1:10002" in ran.err
    assert "http://127.0.0.1:40000" in ran.err


def test_what_happens_meanwhile(world: World, home: dict[str, str]) -> None:
    """All of it is talk: nothing of it is on stdout."""
    ran = run(
        world,
        "cluster session rayservice/x",
        Waiting("the head to start"),
        *BOTH,
        Absent("serve", 8000, "nothing listens on port 8000 of the head"),
        Lost("the head was deleted"),
        Waiting("the head to start"),
        Reconnected(6.2, "x-1"),
        Moved("x-2"),
        Suspended("Resume it:  so"),
        started("serve"),
        env=home,
    )

    assert len(ran.out.splitlines()) == 4
    lines = ran.err.splitlines()
    assert lines[0] == "Waiting for the head to start"
    assert lines[1] == (
        "Serve does not run on the cluster: nothing listens on port 8000 of the head. "
        "It comes with the first application."
    )
    assert lines[-8:] == [
        "Press Ctrl-C to end.",
        "The connection to x is lost: the head was deleted; connecting again ...",
        "Waiting for the head to start",
        "x: reconnected after 7 s.",
        "RayService x runs on Ray cluster x-2 now; the ports lead there.",
        "RayService x was suspended; the session goes on when it is back.",
        "Resume it:  so",
        "Serve:      http://127.0.0.1:8000",
    ]


def test_without_ray_client(world: World, home: dict[str, str]) -> None:
    """An image without ray[client]: said, and what there is can be used."""
    ran = run(world, "cluster session x", started("dashboard"), Absent("client", 10001, "nobody listens"), env=home)

    assert "The cluster has no Ray Client: nobody listens. Does its image have ray[client]?\n" in ran.err
    assert "ray.init" not in ran.err
    assert "RAY_ADDRESS=" not in ran.err
    assert "Dashboard:  http://127.0.0.1:8265\n" in ran.err


def test_json(world: World, home: dict[str, str]) -> None:
    """One object a line, nothing else on stdout; stderr is empty."""
    ran = run(
        world, "cluster session x -o json", Waiting("the head"), *BOTH, Lost("x"), Reconnected(2.5, "x"), env=home
    )

    told = [json.loads(line) for line in ran.out.splitlines()]
    assert [each["change"] for each in told] == [
        "connecting", "waiting", "started", "started", "ready", "lost", "reconnected",
    ]  # fmt: skip
    assert (told[0]["target"], told[0]["namespace"]) == ("raycluster/x", "default")
    assert told[2] | {"time": ""} == {
        "change": "started",
        "time": "",
        "name": "client",
        "local": 10001,
        "remote": 10001,
        "wanted": 10001,
        "addresses": ["127.0.0.1", "::1"],
    }
    assert told[4]["urls"] == {"client": "ray://127.0.0.1:10001", "dashboard": "http://127.0.0.1:8265"}
    assert told[6]["after"] == 2.5
    assert ran.err == ""


@pytest.mark.parametrize(
    ("addresses", "shown"),
    [
        (["127.0.0.1", "::1"], "http://127.0.0.1:8265"),
        (["::1"], "http://[::1]:8265"),
        ([ANY], "http://127.0.0.1:8265"),
        (["::"], "http://[::1]:8265"),
        (["10.1.2.3"], "http://10.1.2.3:8265"),
    ],
)
def test_address(world: World, home: dict[str, str], addresses: list[str], shown: str) -> None:
    """What is shown can be pasted here, wherever it listens."""
    ran = run(world, "cluster session x --ports dashboard", started("dashboard", addresses=addresses), env=home)

    assert f"Dashboard:  {shown}\n" in ran.err


def test_who_can_use_it(world: World, home: dict[str, str]) -> None:
    """Everybody on this machine, which -v says; everybody else too with an --address of the network, which is said."""
    here = "Everybody who is logged in on this machine can use these ports.\n"
    network = "Everybody who can reach this machine over the network can use these ports.\n"

    said = run(world, "cluster session x -v", *BOTH, env=home).err
    assert here in said
    assert "kubectl port-forward -n default service/my-cluster-head-svc 10001:10001 8265:8265\n" in said
    assert here not in run(world, "cluster session x", *BOTH, env=home).err
    opened = started("dashboard", addresses=[ANY])
    assert network in run(world, "cluster session x --address 0.0.0.0", opened, env=home).err


def test_it_is_in_the_list_for_as_long(world: World, home: dict[str, str]) -> None:
    """With its ports, once they answer; no longer than it lasts."""
    registry = Registry(home)
    seen: list[Any] = []

    run(world, "cluster session my-cluster", *BOTH, lambda: seen.extend(registry.open()), env=home)

    assert [(each.name, each.ports, each.cluster, each.uid) for each in seen] == [
        ("my-cluster", {"client": 10001, "dashboard": 8265}, "my-cluster", "uid-of-my-cluster")
    ]
    assert registry.open() == []


def test_a_second_session(world: World, home: dict[str, str]) -> None:
    """The first is named with its addresses; the second goes on with other ports."""
    ran: list[Any] = []

    def second() -> None:
        ran.append(run(world, "cluster session x", started("dashboard", 8266), env=home))
        ran.append(run(world, "cluster session y", started("dashboard", 8266), env=home))

    run(world, "cluster session x", *BOTH, second, env=home)

    same, other = ran
    assert same.err.startswith(
        "A session to x is open already (since 0s): http://127.0.0.1:8265\nSee:  kubectl ray session list\n"
    )
    assert "Session started on port 8266" in same.out
    assert "already" not in other.err


def test_no_folder_to_write_to(world: World, tmp_path: Path) -> None:
    """The session opens all the same, and says once why it is in no list; a program is told as a remark."""
    (tmp_path / "file").touch()
    env = {"XDG_STATE_HOME": str(tmp_path / "file")}

    ran = run(world, "cluster session x", *BOTH, env=env)
    assert "Session started on port 8265" in ran.out
    assert ran.err.count("This session is not in the list of sessions: ") == 1
    assert '"remark"' in run(world, "cluster session x -o json", *BOTH, env=env).out


def test_open(world: World, home: dict[str, str]) -> None:
    """--open shows the dashboard once it answers, once; where there is no browser it says so, beside the addresses."""
    again = (*BOTH, Lost("x"), Reconnected(1, "x"))
    assert run(world, "cluster session x --open", *again, env=home).ctx.pages == ["http://127.0.0.1:8265"]
    assert run(world, "cluster session x", *again, env=home).ctx.pages == []
    ran = run(world, "cluster session x --open", *again, env=home, browser=False)
    assert "No browser can be opened here.\n" in ran.err
    assert ran.err.count("http://127.0.0.1:8265") == 2  # to look at, and for a shell


def test_errors_come_through(world: World, home: dict[str, str]) -> None:
    """What ends the tunnel ends the session, and it is in the list no more."""
    with pytest.raises(NotFound, match="was deleted"):
        run(world, "cluster session x", *BOTH, NotFound("Ray cluster x was deleted."), env=home)
    assert Registry(home).open() == []


class Starter:
    """The process that started one in the background."""

    id = "id"
    log = "/log"

    def __init__(self) -> None:
        self.told: list[Mapping[str, Any]] = []
        self.error: BaseException | None = None

    def tell(self, change: Mapping[str, Any]) -> None:
        """A change."""
        self.told.append(change)

    def ready(self) -> None:
        """All ports answer."""
        self.told.append({"change": "READY"})

    def failed(self, error: BaseException) -> None:
        """It did not come to that."""
        self.error = error


def test_in_the_background(world: World, home: dict[str, str]) -> None:
    """It tells its starter each change, and that it may leave once nothing more is to be said; it opens no browser."""
    starter = Starter()

    line = "cluster session x --background --open"
    ran = run(world, line, *BOTH, Remark("a token"), ALL_SAID, Lost("y"), env=home, starter=starter)

    told = [each["change"] for each in starter.told]
    assert told[:6] == ["connecting", "started", "started", "ready", "remark", "READY"]
    assert [each for each in told[6:] if each != "READY"] == ["lost"]
    assert ran.ctx.pages == []


def test_in_the_background_without_a_dashboard(world: World, home: dict[str, str]) -> None:
    """There is nothing to look at: it is ready when its ports are."""
    starter = Starter()

    run(world, "cluster session x --background --ports client", started("client"), env=home, starter=starter)

    assert [each["change"] for each in starter.told] == ["connecting", "started", "ready", "READY"]


def test_failing_in_the_background(world: World, home: dict[str, str]) -> None:
    """The starter learns what it failed of."""
    starter = Starter()
    error = NotFound("There is none.")

    with pytest.raises(NotFound):
        run(world, "cluster session x --background", error, env=home, starter=starter)

    assert starter.error is error
