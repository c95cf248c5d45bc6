"""Amounts of CPU, memory and devices."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import WrongUse
from kubectl_ray.models.quantity import (
    NANO,
    canonical,
    format_cpu,
    format_memory,
    is_binary,
    normalize_count,
    normalize_cpu,
    normalize_memory,
    parse,
)

CAP = 2**63 - 1
SUFFIXES: dict[str, int | Fraction] = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "P": 10**15,
    "E": 10**18,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
    "Ei": 2**60,
    "e3": 1000,
    "E3": 1000,
    "e-3": Fraction(1, 1000),
    "e+3": 1000,
    "e0": 1,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500m", Fraction(1, 2)),
        ("0.5", Fraction(1, 2)),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("1.5Gi", 3 * 2**29),
        ("1e3", 1000),
        ("12E", 12 * 10**18),
        ("1E2", 100),
        ("+3", 3),
        ("-2Ki", -2048),
        (2, 2),
        (0.1, Fraction(1, 10)),
        ("100n", Fraction(100, 10**9)),
        ("0", 0),
    ],
)
def test_parse(text: object, value: int | Fraction) -> None:
    """Every form that Kubernetes writes is read exactly."""
    assert parse(text) == min(value, CAP) * NANO


@given(
    st.integers(0, 10**12), st.integers(0, 10**9), st.integers(1, 9), st.sampled_from(sorted(SUFFIXES)), st.booleans()
)
def test_parse_is_exact(whole: int, fraction: int, places: int, suffix: str, negative: bool) -> None:
    """Equal to exact fractions, rounded away from zero to the nano unit, capped at an int64."""
    digits = f"{whole}.{fraction:0{places}d}"
    value = Fraction(digits) * SUFFIXES[suffix]
    nano = min(-((-value * NANO) // 1), CAP * NANO)
    assert parse(("-" if negative else "") + digits + suffix) == (-nano if negative else nano)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        ".",
        "-",
        "1.2.3",
        "1x",
        "1 Gi",
        "Gi",
        "1GiB",
        "1e",
        "1e1.5",
        "1ee3",
        "٣",
        "1_000",
        "--1",
        "0x10",
        True,
        None,
        [],
        {},
    ],
)
def test_no_quantity(value: object) -> None:
    """What Kubernetes refuses is None, never an exception."""
    assert parse(value) is None


@pytest.mark.parametrize("text", ["1e999999999", "9" * 64, "99E", "9999999999999Ei"])
def test_huge_is_capped(text: str) -> None:
    """A number that would fill the memory is capped without being computed."""
    assert parse(text) == CAP * NANO


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans(), st.binary()))
def test_parse_never_raises(value: object) -> None:
    """Whatever an object holds in the place of a quantity, reading it gives a number or None."""
    found = parse(value)
    assert found is None or abs(found) <= CAP * NANO


@given(st.integers(0, CAP), st.booleans())
def test_canonical_reads_back(value: int, binary: bool) -> None:
    """What is written as Kubernetes writes it is the same amount."""
    assert parse(canonical(value * NANO, binary=binary)) == value * NANO


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1000", "1k"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        ("4096Mi", "4Gi"),
        ("1024", "1024"),
        ("512", "512"),
        ("0", "0"),
        ("1.5Gi", "1536Mi"),
        ("320G", "320G"),
        ("1500G", "1500G"),
        ("100n", "100n"),
        ("-2Ki", "-2Ki"),
    ],
)
def test_canonical(text: str, written: str) -> None:
    """As Kubernetes' own String()."""
    nano = parse(text)
    assert nano is not None
    assert canonical(nano, binary=is_binary(text)) == written


@pytest.mark.parametrize(("text", "shown"), [("8", "8"), ("500m", "500m"), ("1.5", "1500m"), ("1u", "1m"), ("0", "0")])
def test_format_cpu(text: str, shown: str) -> None:
    """CPUs are whole or in thousandths."""
    assert format_cpu(parse(text) or 0) == shown


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (["32Gi"], "32Gi"),
        (["1024Mi", "700Mi"], "1724Mi"),
        (["32G"], "32G"),
        (["500M"], "500M"),
        (["0"], "0"),
        (["8Gi", *["32G"] * 10], "306.0Gi"),
        (["1"], "1"),
        (["1500G"], "1500G"),
        (["1Ki", "1"], "1025"),
        (["123457"], "120.6Ki"),
        (["-1"], "0"),
    ],
)
def test_format_memory(texts: list[str], shown: str) -> None:
    """Exact while it is short, else rounded to a tenth."""
    assert format_memory(sum(parse(text) or 0 for text in texts)) == shown


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("32GB", "32G"),
        ("32G", "32G"),
        ("32gb", "32G"),
        ("32 GB", "32G"),
        ("32GiB", "32Gi"),
        ("32Gi", "32Gi"),
        ("32gi", "32Gi"),
        ("1.5TB", "1500G"),
        ("1.5TiB", "1536Gi"),
        ("500MB", "500M"),
        ("0.5Gi", "512Mi"),
        ("2000KB", "2000k"),
        ("2048Ki", "2048Ki"),
        ("1.2345GB", "1234500k"),
        ("4294967296", "4294967296"),
        ("4294967296B", "4294967296"),
        ("1e9", "1000000000"),
        ("1EB", "1E"),
        ("0", "0"),
        ("0GB", "0"),
        ("1.0Gi", "1Gi"),
        ("+2Gi", "2Gi"),
        (" 2Gi ", "2Gi"),
    ],
)
def test_sizes_as_people_write_them(text: str, sent: str) -> None:
    """Human sizes become the Kubernetes quantity that is sent, and never another amount."""
    assert normalize_memory(text) == sent


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("32", "--worker-memory=32GB"),
        ("128m", "--worker-memory=128Mi"),
        ("1kB", "32GB"),
        ("-3GB", "32GB"),
        ("32,5GB", "32GB"),
        ("lots", "32GB"),
        ("", "32GB"),
        ("3e", "32GB"),
        ("NaN", "32GB"),
        ("3XB", "32GB"),
        ("99EB", "32GB"),
    ],
)
def test_sizes_that_cannot_be_meant(text: str, hint: str) -> None:
    """A size that is none, negative or far too small names the flag and proposes one."""
    with pytest.raises(WrongUse) as caught:
        normalize_memory(text)
    assert f"--worker-memory={text}" in caught.value.message
    assert hint in caught.value.hint


@given(st.text(alphabet="0123456789.+-eEkKmMgGtTiIbB ,", max_size=12))
def test_sizes_are_sent_as_quantities_or_refused(text: str) -> None:
    """Whatever is typed: a quantity that Kubernetes reads, or our error."""
    try:
        sent = normalize_memory(text)
    except WrongUse:
        return
    assert (parse(sent) or 0) % NANO == 0


@pytest.mark.parametrize(
    ("text", "sent"),
    [("8", "8"), ("0.5", "500m"), ("500m", "500m"), ("1.5", "1500m"), ("2.0", "2"), ("0", "0"), ("1e1", "10")],
)
def test_cpus_as_people_write_them(text: str, sent: str) -> None:
    """Whole CPUs or thousandths are sent."""
    assert normalize_cpu(text) == sent


@pytest.mark.parametrize("text", ["lots", "", "-1", "-0", "0.0001", "8CPU", "1e30"])
def test_cpus_that_cannot_be_meant(text: str) -> None:
    """No number, negative, or finer than a thousandth."""
    with pytest.raises(WrongUse, match="--head-cpus"):
        normalize_cpu(text, "--head-cpus")


@given(st.text(max_size=12))
def test_cpus_are_sent_as_quantities_or_refused(text: str) -> None:
    """Whatever is typed: a quantity, or our error."""
    with contextlib.suppress(WrongUse):
        assert parse(normalize_cpu(text)) is not None


@pytest.mark.parametrize("text", ["-1", "1.5", "many", "", "2147483648", "9" * 5000, "²"])
def test_counts_that_cannot_be_meant(text: str) -> None:
    """Devices, hosts and replicas are whole numbers of an int32."""
    with pytest.raises(WrongUse, match="--worker-gpus"):
        normalize_count(text, "--worker-gpus")


def test_counts() -> None:
    """Zero and the largest int32 are numbers."""
    assert [normalize_count(text, "-r") for text in ("0", " 7", "+3", "2147483647")] == [0, 7, 3, 2147483647]
