"""`--port`, `--ports`, `--address`."""

from __future__ import annotations

import argparse

import pytest

from kubectl_ray.flags import ports
from kubectl_ray.flows.tunnel import REMOTE


def test_names() -> None:
    """The flags know every port that a tunnel knows; they do not import it, as a page of help needs no network."""
    assert set(ports.NAMES) == set(REMOTE)


def test_addresses() -> None:
    """IP addresses as they are written shortest, each once; localhost is both of its own."""
    assert ports.addresses("localhost") == ("127.0.0.1", "::1")
    assert ports.addresses("10.0.0.1, [0:0::1],LOCALHOST") == ("10.0.0.1", "::1", "127.0.0.1")


def test_all_with_others() -> None:
    """`all` beside names is all; a word that is no port is refused there too."""
    assert ports.several("All") == ports.several("client,all") == ports.NAMES
    with pytest.raises(argparse.ArgumentTypeError, match="'gcs' is no port of a head"):
        ports.several("all,gcs")


def test_addresses_given_in_several_flags() -> None:
    """Each counts; what one of them covers goes."""
    assert ports.listened(None) == ()
    assert ports.listened([("127.0.0.1", "::1"), ("10.0.0.1", "::1")]) == ("127.0.0.1", "::1", "10.0.0.1")
    assert ports.listened([("127.0.0.1", "::1"), ("0.0.0.0",)]) == ("::1", "0.0.0.0")  # noqa: S104 -- nothing listens


def test_every_address() -> None:
    """0.0.0.0 is all of IPv4, :: all of IPv6: one of the same kind beside it could not be listened on as well."""
    assert ports.addresses("127.0.0.1,0.0.0.0,::1") == ("0.0.0.0", "::1")  # noqa: S104 -- nothing listens
    assert ports.addresses("::,localhost") == ("::", "127.0.0.1")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("00", 0), ("08265", 8265), ("0" * 9000 + "1", 1)])
def test_number(text: str, number: int) -> None:
    """Leading zeros are nothing."""
    assert ports.number(text) == number


@pytest.mark.parametrize("text", ["", "-1", "x", "\uff11", "65536", "000000000999999", "9" * 9000])
def test_no_number(text: str) -> None:
    """Above 65535 there is no port, however it is written."""
    with pytest.raises(argparse.ArgumentTypeError, match="is no port"):
        ports.number(text)


def test_wanted() -> None:
    """Those with a number come along with those that are named or usual."""
    assert ports.wanted(None, [("serve", 1)], ("client",)) == [("client", None), ("serve", 1)]
    assert ports.wanted(("metrics",), [("metrics", 0), ("metrics", 0)], ("client",)) == [("metrics", 0)]
    assert ports.wanted(None, [("serve", 0), ("client", 0)], ()) == [("serve", 0), ("client", 0)]
