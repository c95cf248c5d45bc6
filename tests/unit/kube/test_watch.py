"""`kube.watch`: changes, and all that keeps them from coming."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_ray.errors import Expired, KubectlRayError, NotAllowed, ServerError, Unreachable
from kubectl_ray.kube.connection import Connection
from kubectl_ray.kube.http import read_response
from kubectl_ray.kube.status import Asked
from kubectl_ray.kube.watch import PAUSE_LIMIT, TOO_LARGE_LIMIT, Watch
from kubectl_ray.models.resources import PODS
from tests.wire import ApiServer, ScriptedSocket, client_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kubectl_ray.kube.http import Response

    Pieces = list[bytes | Exception]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


def pod(name: str, version: int = 0) -> dict[str, Any]:
    """A pod at a version."""
    metadata = {"name": name, **({"resourceVersion": str(version)} if version else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


def line(kind: str, item: Any) -> bytes:
    """An event as it is sent."""
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def refusal(code: int, reason: str, message: str = "because", **details: Any) -> bytes:
    """An ERROR event."""
    status = {"kind": "Status", "status": "Failure", "message": message, "reason": reason, "code": code}
    return line("ERROR", {**status, "details": details})


class Server:
    """Requests of a watch, each answered by scripted pieces or an error; then the client is closed.

    It is the Transport of the watch as well: its clock moves only by sleeping.
    """

    def __init__(self, *answers: Pieces | KubectlRayError) -> None:
        self.answers = list(answers)
        self.versions: list[str] = []
        self.slept: list[float] = []
        self.said: list[tuple[int, str]] = []
        self.closed = False

    def __call__(self, version: str) -> Response:
        """Open the next request."""
        self.versions.append(version)
        answer = self.answers.pop(0)
        self.closed = not self.answers
        if isinstance(answer, KubectlRayError):
            raise answer
        socket: Any = ScriptedSocket([HEAD, *answer])
        return read_response(Connection(socket, "The server"), "GET")

    def clock(self) -> float:
        """Seconds slept so far."""
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        """Remembered."""
        self.slept.append(seconds)

    def talk(self, level: int, text: str) -> None:
        """Remembered."""
        self.said.append((level, text))

    def watch(self, **options: Any) -> Iterator[tuple[str, Any]]:
        """The events after version 5."""
        transport: Any = self
        return Watch(self, Asked("watch", PODS, "n"), transport, **options).events("5")


def names(events: Iterator[tuple[str, Any]]) -> list[str]:
    """Events as short words."""
    return [f"{kind} {item['metadata']['name']}" if item else kind for kind, item in events]


def test_changes_are_given() -> None:
    """Each event's type and object, in order."""
    server = Server([line("ADDED", pod("a", 6)) + line("MODIFIED", pod("a", 7)), line("DELETED", pod("a", 8))])
    assert names(server.watch()) == ["ADDED a", "MODIFIED a", "DELETED a"]


@given(count=st.integers(0, 5), places=st.lists(st.integers(0, 400), max_size=10), text=st.text(max_size=5))
def test_events_are_whole_however_they_are_cut(count: int, places: list[int], text: str) -> None:
    """An event is given when it is whole, wherever the network cuts."""
    sent = [("ADDED", pod(f"{text}{number}", 6 + number)) for number in range(count)]
    data = b"".join(line(*event) for event in sent)
    marks = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    pieces: Pieces = [data[a:b] for a, b in pairwise(marks)]
    assert list(Server(pieces).watch()) == sent


def test_ended_watch_goes_on_where_it_was() -> None:
    """TimeoutSeconds ends a watch in silence; the next begins at the last version seen."""
    server = Server([line("ADDED", pod("a", 6))], [line("ADDED", pod("b", 9))], [])
    assert names(server.watch()) == ["ADDED a", "ADDED b"]
    assert server.versions == ["5", "6", "9"]
    assert not server.said


def test_bookmarks_move_the_place_on() -> None:
    """A bookmark is not a change, but the next request begins there."""
    server = Server([line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "50"}})], [])
    assert names(server.watch()) == []
    assert server.versions == ["5", "50"]


def test_lost_connection_is_made_anew() -> None:
    """A connection that breaks is opened again at once from the last version; half an event is not an event."""
    half = line("ADDED", pod("b", 9))[:-9]
    reset = ConnectionResetError(104, "Connection reset by peer")
    server = Server([line("ADDED", pod("a", 6)), half, reset], [half], [line("ADDED", pod("b", 9))])
    assert names(server.watch()) == ["ADDED a", "ADDED b"]
    assert server.versions == ["5", "6", "6"]


def test_unreachable_server_is_waited_for_with_growing_pauses() -> None:
    """Pauses grow to a limit; the first blip is silent, what lasts is said; an event brings them back to nothing."""
    gone = [Unreachable("nobody listens") for _ in range(9)]
    server = Server(*gone, [line("ADDED", pod("a", 6))], Unreachable("nobody listens"), [])
    assert names(server.watch()) == ["ADDED a"]
    assert server.slept == [0.5, 1, 2, 4, 8, 15, 15, 15]
    assert max(server.slept) <= PAUSE_LIMIT
    assert [level for level, _ in server.said] == [2] + [0] * 8 + [2]
    assert server.said[1] == (0, "nobody listens; trying again in 0.5 s")


def test_server_that_ends_at_once_is_not_asked_in_a_circle() -> None:
    """A watch that opens and ends without a word, again and again, is slowed down."""
    server = Server(*[[] for _ in range(6)])
    assert names(server.watch()) == []
    assert sum(server.slept) > 3


def test_too_old_version_is_expired() -> None:
    """An ERROR event with 410 is Expired: the caller lists again."""
    with pytest.raises(Expired):
        names(Server([refusal(410, "Expired", "too old resource version: 1 (1749)")]).watch())


def test_410_of_the_request_is_expired() -> None:
    """A server may say it with the HTTP status too."""
    with pytest.raises(Expired):
        names(Server(Expired("too old")).watch())


def test_version_of_the_future_is_waited_for() -> None:
    """504 "Too large resource version" is tried again after the seconds it names."""
    too_large = refusal(504, "Timeout", "Too large resource version", retryAfterSeconds=3)
    server = Server([too_large], [line("ADDED", pod("a", 6))])
    assert names(server.watch()) == ["ADDED a"]
    assert server.slept == [3]


def test_version_that_stays_in_the_future_is_expired() -> None:
    """A server restored from a backup never reaches that version: a new list is needed."""
    answers: list[Pieces] = [[refusal(504, "Timeout")] for _ in range(TOO_LARGE_LIMIT + 5)]
    server = Server(*answers)
    with pytest.raises(Expired):
        names(server.watch())
    assert len(server.versions) == TOO_LARGE_LIMIT + 1


def test_500_in_a_watch_is_an_error() -> None:
    """What the server cannot do it will not do later."""
    with pytest.raises(ServerError, match="etcd"):
        names(Server([refusal(500, "InternalError", "etcd is too old")]).watch())


def test_missing_right_is_an_error() -> None:
    """A watch that is not allowed is not tried again."""
    server = Server(NotAllowed("no"), [])
    with pytest.raises(NotAllowed):
        names(server.watch())
    assert len(server.versions) == 1


def test_ticks_come_in_silence() -> None:
    """With `tick`, silence is said so that a caller can look at its clock; no event is lost by it."""
    event = line("ADDED", pod("a", 6))
    server = Server([TimeoutError(), event[:20], TimeoutError(), TimeoutError(), event[20:]])
    assert names(server.watch(tick=1)) == ["TICK", "TICK", "TICK", "ADDED a"]


def test_ticks_come_in_pauses() -> None:
    """Waiting for a lost server does not keep the caller from its clock."""
    server = Server(*[Unreachable("gone") for _ in range(4)], [])
    assert names(server.watch(tick=0.5)) == ["TICK"] * (1 + 2 + 4)


def test_quiet_connection_is_made_anew() -> None:
    """After `idle` seconds without a byte a connection is not believed in any more, without a word about it."""
    server = Server([TimeoutError(), TimeoutError(), TimeoutError()], [line("ADDED", pod("a", 6))])
    assert names(server.watch(idle=2, tick=1)) == ["TICK", "ADDED a"]
    assert server.versions == ["5", "5"]
    assert not server.said


@pytest.mark.parametrize(
    "text", [b"{\n", b"[]\n", b'{"type":1,"object":{}}\n', b'{"type":"ADDED","object":[]}\n', b"[" * 99_999 + b"\n"]
)
def test_what_is_no_event_is_an_error(text: bytes) -> None:
    """A line that is no event is a ServerError."""
    with pytest.raises(ServerError):
        names(Server([text]).watch())


@given(
    data=st.lists(
        st.binary(max_size=30)
        | st.builds(
            line,
            st.sampled_from(["ADDED", "BOOKMARK", "ERROR", "WHAT"]),
            st.recursive(
                st.none() | st.integers() | st.text(max_size=4),
                lambda inner: st.dictionaries(
                    st.sampled_from(["metadata", "resourceVersion", "code", "kind", "details", "message"]), inner
                ),
            ),
        ),
        max_size=5,
    )
)
@settings(max_examples=200)
def test_any_stream_gives_events_or_one_of_our_errors(data: list[bytes]) -> None:
    """Whatever a server sends, events are pairs of a text and a dict, and errors are ours."""
    with suppress(KubectlRayError):
        for kind, item in Server(list(data), []).watch():
            assert isinstance(kind, str)
            assert isinstance(item, dict)


@pytest.fixture(params=["tcp", "tls"])
def api(request: pytest.FixtureRequest) -> Iterator[ApiServer]:
    """A server with one pod, over TCP and over TLS."""
    with ApiServer(token="secret" if request.param == "tls" else "") as server:
        server.add(pod("a"))
        yield server


def collect(events: Iterator[tuple[str, Any]]) -> list[str]:
    """Up to the object called `end`, without ticks."""
    seen = []
    for kind, item in events:
        if kind == "LISTED":
            seen.append(f"LISTED {','.join(one['metadata']['name'] for one in item)}")
        elif kind != "TICK":
            if item["metadata"]["name"] == "end":
                break
            seen.append(f"{kind} {item['metadata']['name']}")
    return seen


def test_list_and_watch_outlives_everything(api: ApiServer) -> None:
    """List, changes, a server that ends watches, cuts connections, forgets history, goes down and comes up again."""
    client = client_for(api, sleep=lambda _: None)
    events = client.list_and_watch(PODS)
    assert next(events)[0] == "LISTED"
    api.add(pod("b"))
    assert next(events)[1]["metadata"]["name"] == "b"
    api.close_watches()
    api.add(pod("c"))
    assert next(events)[1]["metadata"]["name"] == "c"
    api.drop_connections()
    api.add(pod("d"))
    assert next(events)[1]["metadata"]["name"] == "d"
    api.store.compact()
    api.close_watches()
    assert next(events)[0] == "LISTED"
    api.stop()
    api.start()
    api.store.remove("pods", "a")
    api.add(pod("end"))
    assert collect(events) == ["DELETED a"]


def test_watch_and_requests_at_once(api: ApiServer) -> None:
    """A watch has a connection of its own; the client answers requests meanwhile."""
    client = client_for(api)
    events = client.list_and_watch(PODS, label_selector="!no", tick=0.01)
    next(events)
    next(events)
    assert client.get(PODS, "a")["kind"] == "Pod"
    query = api.asked("GET", "pods")[1].query
    assert query["watch"] == "true"
    assert query["allowWatchBookmarks"] == "true"
    assert query["labelSelector"] == "!no"
    assert query["resourceVersion"] == str(api.store.version)


def test_watch_from_a_version(api: ApiServer) -> None:
    """A watch begins after the version it is given, and tells what happened since."""
    client = client_for(api)
    version = str(api.store.version)
    api.add(pod("b"))
    api.store.remove("pods", "a")
    events = client.watch(PODS, "", resource_version=version)
    assert [(kind, item["metadata"]["name"]) for kind, item in (next(events), next(events))] == [
        ("ADDED", "b"),
        ("DELETED", "a"),
    ]
    assert api.requests[0].path == "/api/v1/pods"


def test_watch_from_a_forgotten_version(api: ApiServer) -> None:
    """A version that the server forgot is Expired."""
    version = str(api.store.version)
    api.store.compact()
    with pytest.raises(Expired):
        next(client_for(api).watch(PODS, resource_version=version))


def test_request_timeout_does_not_end_a_watch(api: ApiServer) -> None:
    """--request-timeout is for an answer, not for a watch."""
    client = client_for(api, request_timeout=0.2)
    events = client.list_and_watch(PODS, tick=0.1)
    assert [next(events)[0] for _ in range(6)] == ["LISTED"] + ["TICK"] * 5
    assert len(api.asked("GET")) == 2


def test_closing_the_client_ends_a_watch(api: ApiServer) -> None:
    """A watch in another thread ends when the client is closed, at once."""
    client = client_for(api)
    seen: list[str] = []
    ready = threading.Event()

    def run() -> None:
        for kind, _ in client.list_and_watch(PODS):
            seen.append(kind)
            ready.set()

    watcher = threading.Thread(target=run)
    watcher.start()
    assert ready.wait(10)
    client.close()
    watcher.join(10)
    assert not watcher.is_alive()
    assert seen == ["LISTED"]


def test_first_list_that_fails_is_an_error(api: ApiServer) -> None:
    """Nobody there at the beginning is an error, not a wait."""
    client = client_for(api)
    api.stop()
    with pytest.raises(Unreachable):
        next(client.list_and_watch(PODS))


def test_later_lists_are_tried_again(api: ApiServer) -> None:
    """Once it has worked, a list that fails is tried again."""
    slept: list[float] = []
    client = client_for(api, sleep=slept.append)
    events = client.list_and_watch(PODS)
    next(events)
    api.store.compact()
    api.fail(500, "InternalError", times=3, when=lambda request: "watch" not in request.query)
    assert next(events)[0] == "LISTED"
    assert slept == [0.5, 1, 2]
