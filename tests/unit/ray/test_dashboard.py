"""What Ray's dashboard says, and what its silence means."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.ray.dashboard import Dashboard

if TYPE_CHECKING:
    from typing import Any

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["status", "submission_id"]), inner),
    max_leaves=10,
)


def answering(status: int, body: object = b"", content_type: str = "application/json") -> Dashboard:
    """A dashboard that always answers like this."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Dashboard(lambda _method, _path: (status, content_type, data))


@pytest.mark.parametrize(
    ("status", "content_type", "answers"),
    [
        (200, "application/json", True),
        (401, "text/plain", True),
        (403, "text/plain; charset=utf-8", True),
        (401, "application/json", None),
        (403, "application/json", None),
        (405, "text/html", None),
        (502, "text/html", None),
        (504, "", None),
        (503, "application/json", False),
        (404, "text/plain", False),
        (0, "", False),
    ],
)
def test_does_ray_answer(status: int, content_type: str, answers: bool | None) -> None:
    """Yes, also when it wants a token; no while the head is not up; unknown where somebody on the way refuses."""
    assert answering(status, content_type=content_type).answers() is answers


@pytest.mark.parametrize(("status", "silent"), [(0, True), (503, False), (200, False)])
def test_silence(status: int, silent: bool) -> None:
    """No answer at all is told apart from a no."""
    asked = answering(status)
    asked.answers()
    assert asked.silent is silent

    asked = answering(status)
    asked.running_jobs()
    assert asked.silent is silent


def test_what_is_asked() -> None:
    """`/api/version` for a sign of life, `/api/jobs/` for the jobs: its slash matters, Ray redirects without it."""
    asked: list[tuple[str, str]] = []

    def ask(method: str, path: str) -> tuple[int, str, bytes]:
        asked.append((method, path))
        return 200, "application/json", b"[]"

    Dashboard(ask).answers()
    Dashboard(ask).running_jobs()

    assert asked == [("GET", "/api/version"), ("GET", "/api/jobs/")]


def test_running_jobs() -> None:
    """Jobs that wait or run, by the name that the user gave, else by Ray's own."""
    jobs = [
        {"submission_id": "mine", "job_id": "01", "status": "RUNNING"},
        {"submission_id": None, "job_id": "02", "status": "PENDING"},
        {"status": "RUNNING"},
        {"submission_id": "over", "status": "SUCCEEDED"},
        {"submission_id": "stopped", "status": "STOPPED"},
        "odd",
    ]

    assert answering(200, jobs).running_jobs() == ["mine", "02", "?"]


def test_no_jobs() -> None:
    """None running is an empty list, which is not the same as unknown."""
    assert answering(200, []).running_jobs() == []


@pytest.mark.parametrize("answer", [(0, b""), (401, b"no token"), (404, b"{}"), (200, b"<html>"), (200, b"{}")])
def test_jobs_that_cannot_be_asked_for(answer: tuple[int, bytes]) -> None:
    """What is no list of jobs is unknown."""
    assert answering(*answer).running_jobs() is None


@given(st.integers(0, 599), JSON)
def test_jobs_of_any_shape(status: int, body: Any) -> None:
    """Whatever comes back, nothing is raised."""
    jobs = answering(status, body).running_jobs()

    assert jobs is None or all(isinstance(job, str) for job in jobs)


@given(st.binary())
def test_bytes_of_any_kind(body: bytes) -> None:
    """Bytes that are no JSON are unknown, not an error."""
    assert answering(200, body).running_jobs() in (None, [])


def test_endless_brackets() -> None:
    """An answer that is nested without end is unknown too."""
    assert answering(200, b"[" * 100_000).running_jobs() is None


@pytest.mark.parametrize(
    ("status", "body", "needs"),
    [
        (200, {"authentication_mode": "token"}, True),
        (200, {"authentication_mode": "disabled"}, False),
        (200, [], None),
        (404, b"not found", False),
        (401, b"Unauthorized", True),
        (0, b"", None),
        (502, b"", None),
    ],
)
def test_does_it_need_a_token(status: int, body: object, needs: bool | None) -> None:
    """Only Ray itself tells; a Ray that does not know the question knows no tokens."""
    assert answering(status, body).needs_token() is needs


def test_version_of_ray() -> None:
    """As Ray says; "" where it wants a token first."""
    assert answering(200, {"ray_version": "2.52.0"}).ray_version() == "2.52.0"
    assert answering(401, {"ray_version": "2.52.0"}).ray_version() == ""


@pytest.mark.parametrize(
    "node",
    [
        {"cmdline": ["/opt/conda/lib/python3.11/site-packages/ray/core/src/ray/raylet/raylet", "--x=1"]},
        {"raylet": {"cmdline": ["/usr/bin/python3.11", "-u"]}, "cmdline": ["raylet"]},
        {"agent": {"cmdline": ["/usr/bin/python3", "-u", "/usr/lib/python3.11/dist-packages/ray/dashboard/agent.py"]}},
    ],
)
def test_python_of_the_cluster(node: object) -> None:
    """It is read from the paths of Ray's own programs."""
    assert answering(200, {"data": {"summary": [{}, node]}}).python_version() == "3.11"


@given(JSON)
def test_python_of_anything(value: object) -> None:
    """Whatever stands there: a version, or nothing."""
    found = answering(200, {"data": {"summary": [{"cmdline": value}, value]}})
    assert found.python_version() == ""
    assert answering(200, value).python_version() == ""
    assert answering(200, value).needs_token() in {None, False}
    assert isinstance(answering(200, value).ray_version(), str)
