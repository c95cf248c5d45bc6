"""Protobuf bodies: what each sort of field becomes in JSON, and that no bytes do harm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kubectl_ray.sandbox.serving.protobuf import reading


def varint(value: int) -> bytes:
    """Protocol Buffers' base 128."""
    value &= 2**64 - 1
    made = b""
    while value > 0x7F:
        made += bytes([value & 0x7F | 0x80])
        value >>= 7
    return made + bytes([value])


def field(number: int, value: bytes | int | str) -> bytes:
    """One field, as an integer or as bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    """What a client sends."""
    return (
        reading.MAGIC + field(1, field(1, api_version) + field(2, kind)) + field(2, raw) + field(3, "") + field(4, "")
    )


def read(kind: str, raw: bytes, api_version: str = "v1") -> Any:
    """The object without what it says of its type."""
    found = reading.read(body(api_version, kind, raw))
    assert (found.pop("apiVersion"), found.pop("kind")) == (api_version, kind)
    return found


META = field(1, "x") + field(2, "") + field(3, "lab") + field(7, 0) + field(8, b"")
"""An ObjectMeta as Go writes it: fields that are not set are there, and empty."""


def test_metadata() -> None:
    """Empty fields that JSON leaves out are left out."""
    assert read("ConfigMap", field(1, META)) == {"metadata": {"name": "x", "namespace": "lab"}}


def test_maps() -> None:
    """Maps of text and of bytes."""
    entries = field(2, field(1, "a") + field(2, "b")) + field(2, field(1, "c"))
    binary = field(3, field(1, "d") + field(2, b"\xff"))
    assert read("ConfigMap", entries + binary) == {"data": {"a": "b", "c": ""}, "binaryData": {"d": "/w=="}}


def test_quantities() -> None:
    """A quantity is its text."""
    hard = field(1, field(1, "cpu") + field(2, field(1, "500m")))
    assert read("ResourceQuota", field(2, hard)) == {"spec": {"hard": {"cpu": "500m"}}}


def test_pointers() -> None:
    """A pointer to nothing much is said; a plain zero is not."""
    spec = field(1, 0) + field(7, 0)
    assert read("Job", field(2, spec), "batch/v1") == {"spec": {"parallelism": 0, "backoffLimit": 0}}


def test_negative_numbers() -> None:
    """Integers have a sign."""
    assert read("PriorityClass", field(2, -5), "scheduling.k8s.io/v1")["value"] == -5


@pytest.mark.parametrize(
    ("raw", "value"), [(field(1, 0) + field(2, 8080), 8080), (field(1, 1) + field(2, 0) + field(3, "web"), "web")]
)
def test_int_or_string(raw: bytes, value: Any) -> None:
    """A target port is a number or a name."""
    port = field(3, 80) + field(4, raw)
    assert read("Service", field(2, field(1, port)))["spec"]["ports"] == [{"port": 80, "targetPort": value}]


def test_times() -> None:
    """A time is written as JSON has it; Go's zero time is none."""
    zero = field(1, -62135596800) + field(2, 0)
    first, micro = field(1, 1_795_435_000) + field(2, 0), field(1, 1_795_435_000) + field(2, 123_456_789)
    event = read("Event", field(6, first) + field(7, zero) + field(10, micro))
    assert (event["firstTimestamp"], event["eventTime"]) == ("2026-11-23T11:56:40Z", "2026-11-23T11:56:40.123456Z")
    assert "lastTimestamp" not in event


def test_inline() -> None:
    """A volume's source stands beside its name."""
    volume = field(1, "v") + field(2, field(2, b""))
    spec = read("Pod", field(2, field(1, volume)))["spec"]
    assert spec["volumes"] == [{"name": "v", "emptyDir": {}}]


def test_packed_integers() -> None:
    """A list of integers may come as one value or as several."""
    one = field(2, field(14, field(4, varint(5) + varint(6))))
    several = field(2, field(14, field(4, 5) + field(4, 6)))
    groups = [read("Pod", raw)["spec"]["securityContext"]["supplementalGroups"] for raw in (one, several)]
    assert groups == [[5, 6], [5, 6]]


def test_delete_options() -> None:
    """DeleteOptions may come under the version of any group."""
    assert read("DeleteOptions", field(1, 0), "policy/v1") == {"gracePeriodSeconds": 0}


def test_fields_of_newer_clients() -> None:
    """Fields that are not known are passed over."""
    assert read("ConfigMap", field(900, "new") + field(901, 5)) == {}


def test_unknown_kind() -> None:
    """A kind that nobody sends is refused."""
    with pytest.raises(reading.NotReadable, match='no kind "Foo" is registered for version "v1"'):
        reading.read(body("v1", "Foo", b""))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\x0a\x7f", "unexpected EOF"),
        (b"\x0b", "illegal wireType 3"),
        (b"\xff" * 11, "integer overflow"),
        (field(1, 5), "wrong wireType for"),
    ],
)
def test_broken(raw: bytes, why: str) -> None:
    """Bytes that are no message are refused."""
    with pytest.raises(reading.NotReadable, match=why):
        read("ConfigMap", raw)


def test_not_protobuf() -> None:
    """Nor is anything without Kubernetes' mark."""
    with pytest.raises(reading.NotReadable, match="does not appear to be a protobuf message"):
        reading.read(b"{}")


KINDS = some.sampled_from(
    [("v1", "Pod"), ("v1", "Event"), ("batch/v1", "Job"), ("v1", "Secret"), ("policy/v1", "DeleteOptions")]
)
NUMBERS = some.integers(1, 30)
MESSAGES = some.recursive(
    some.binary(max_size=12),
    lambda inner: some.lists(
        some.builds(field, NUMBERS, some.one_of(inner, some.integers(-5, 5), some.text(max_size=4))), max_size=4
    ).map(b"".join),
    max_leaves=12,
)


@given(about=KINDS, raw=MESSAGES)
def test_any_bytes(about: tuple[str, str], raw: bytes) -> None:
    """Whatever the bytes are, they are an object that is JSON, or refused."""
    import json

    try:
        found = json.dumps(reading.read(body(*about, raw)))
    except reading.NotReadable as refused:
        found = str(refused)
    assert found


@given(some.binary())
def test_any_body(raw: bytes) -> None:
    """The same for what stands around the object."""
    try:
        found = reading.read(reading.MAGIC + raw)
    except reading.NotReadable as refused:
        found = {"kind": str(refused)}
    assert found["kind"]
