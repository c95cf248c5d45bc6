"""`kube.documents`: YAML and JSON as kubectl reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import Invalid
from kubectl_ray.kube import documents


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-10-01", "2026-10-01"),
        ("2026-10-01T00:00:00Z", "2026-10-01T00:00:00Z"),
        ("1:20", "1:20"),
        ("yes", True),
        ("off", False),
        ("014", 12),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        (".inf", float("inf")),
        ("12", 12),
        ("1.2.3", "1.2.3"),
        ("~", None),
        ("'12'", "12"),
    ],
)
def test_scalars(text: str, value: object) -> None:
    """A scalar is what kubectl takes it for: no dates, no base 60, YAML 1.1's yes and no, exponents without a dot."""
    assert documents.parse(f"a: {text}".encode(), "it") == {"a": value}


def test_json_is_read_as_json() -> None:
    """A document that starts like JSON is JSON: a tab and an escape that YAML reads otherwise stay what they are."""
    assert documents.parse(b'\n{"a":\t"\\u00e9\\/"}', "it") == {"a": "\u00e9/"}


def test_yaml_flow_mapping_starts_like_json() -> None:
    """What starts with a brace and is no JSON is YAML."""
    assert documents.parse(b"{a: 1}", "it") == {"a": 1}


def test_first_document_counts() -> None:
    """Of several documents the first is taken, as kubectl does for a kubeconfig."""
    assert documents.parse(b"a: 1\n---\nb: 2\n", "it") == {"a": 1}


@pytest.mark.parametrize("text", ["", "# only a remark\n", "---\n"])
def test_nothing(text: str) -> None:
    """A document without content is None."""
    assert documents.parse(text.encode(), "it") is None


def test_byte_order_mark() -> None:
    """Windows editors' byte order mark is no part of the document."""
    assert documents.parse(b'\xef\xbb\xbf{"a": 1}', "it") == {"a": 1}


@pytest.mark.parametrize(
    "data",
    [
        b"a: [",
        b"\xff\xfe",
        b"a: \x00",
        b"? {}\n: 1",
        b"a: *b",
        b"!!python/object:os.system x",
        b"[" * 300_000,
        b"- " * 300_000,
        b"{" * 300_000,
        b'{"a":' * 300_000,
        b"a: " + b"9" * 9_000,
    ],
    ids=lambda data: data[:8].decode("latin-1"),
)
def test_bad_documents(data: bytes) -> None:
    """Whatever cannot be read is an `Invalid` that names the file, and never a crash of the interpreter."""
    with pytest.raises(Invalid, match="the file"):
        documents.parse(data, "the file")


def test_error_keeps_secrets() -> None:
    """The words about a broken document do not quote it: a kubeconfig's lines are secrets."""
    with pytest.raises(Invalid) as caught:
        documents.parse(b"token: hunter2\n  more: [", "it")
    assert "hunter2" not in caught.value.message
    assert "line" in caught.value.message


@given(
    st.one_of(
        st.binary(max_size=200), st.text(alphabet="-:?[]{}&*!|>'\"%@`# \n\tabc019.~<=", max_size=80).map(str.encode)
    )
)
def test_fuzz(data: bytes) -> None:
    """Any bytes give a value or an `Invalid`."""
    try:
        documents.parse(data, "it")
    except Invalid:
        return
