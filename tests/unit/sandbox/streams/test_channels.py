"""Remote-command channels."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.streams import channels
from kubectl_ray.sandbox.streams.channels import V4, V5


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [([V4, V5], V5), ([V4], V4), (["channel.k8s.io"], None), (["base64.channel.k8s.io"], None), ([], None)],
)
def test_the_newest_protocol_of_both_is_chosen(offered: list[str], chosen: str | None) -> None:
    """The order in which the client offers them does not matter."""
    assert channels.choose(offered) == chosen


def test_the_first_byte_is_the_channel() -> None:
    """The rest is what is sent on it."""
    assert channels.split(b"\0abc", V5) == (channels.STDIN, b"abc")


def test_an_empty_message_says_nothing() -> None:
    """The real server passes over it."""
    assert channels.split(b"", V5) is None


def test_close_is_only_in_v5() -> None:
    """In v4, 255 is a channel that nobody listens to."""
    assert channels.split(b"\xff\0", V5) == (channels.CLOSE, b"\0")
    assert channels.split(b"\xff\0", V4) is None


def test_a_size_has_columns_and_rows() -> None:
    """As Go writes its TerminalSize."""
    assert channels.size(b'{"Width":101,"Height":33}') == (101, 33)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b"1",
        b"\xff",
        b"[" * 100_000,
        b'{"Width":0,"Height":1}',
        b'{"Width":1e3,"Height":1}',
        b'{"Width":70000,"Height":1}',
        b'{"Width":true,"Height":true}',
    ],
)
def test_a_size_that_makes_no_sense_is_none(text: bytes) -> None:
    """It is not an error either."""
    assert channels.size(text) is None


@given(st.binary(), st.sampled_from([V4, V5]))
def test_any_message_can_be_split(message: bytes, protocol: str) -> None:
    """Nothing is ever raised."""
    parts = channels.split(message, protocol)
    if parts is not None:
        channels.size(parts[1])


def test_success_has_no_code() -> None:
    """As it was seen on the wire."""
    assert channels.pack(channels.ended(0, V5, ["true"])) == b'{"metadata":{},"status":"Success"}'


@pytest.mark.parametrize(
    ("protocol", "told"),
    [(V5, "command terminated with exit code 3"), (V4, "error executing command [sh -c exit 3], exit code 3")],
)
def test_an_exit_code_is_a_cause(protocol: str, told: str) -> None:
    """As they were seen on the wire of a 1.36 server."""
    assert channels.ended(3, protocol, ["sh", "-c", "exit 3"]) == {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: {told}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": "3"}]},
    }


@pytest.mark.parametrize(("protocol", "times"), [(V5, 2), (V4, 1)])
def test_what_cannot_be_run_is_an_internal_error(protocol: str, times: int) -> None:
    """In v5 the API server adds its words to the kubelet's, so they are there twice."""
    status = json.loads(channels.pack(channels.failed("no way", protocol)))
    assert status["message"] == "Internal error occurred: " * times + "no way"
    assert (status["reason"], status["code"]) == ("InternalError", 500)
