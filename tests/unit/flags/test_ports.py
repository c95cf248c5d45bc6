"""`--port`, `--ports`, `--address`."""

from __future__ import annotations

from kubectl_ray.flags import ports
from kubectl_ray.flows.tunnel import REMOTE


def test_names() -> None:
    """The flags know every port that a tunnel knows; they do not import it, as a page of help needs no network."""
    assert set(ports.NAMES) == set(REMOTE)


def test_addresses() -> None:
    """IP addresses as they are written shortest, each once; localhost is both of its own."""
    assert ports.addresses("localhost") == ("127.0.0.1", "::1")
    assert ports.addresses("10.0.0.1, [0:0::1],LOCALHOST") == ("10.0.0.1", "::1", "127.0.0.1")


def test_wanted() -> None:
    """Those with a number come along with those that are named or usual."""
    assert ports.wanted(None, [("serve", 1)], ("client",)) == [("client", None), ("serve", 1)]
    assert ports.wanted(("metrics",), [("metrics", 0), ("metrics", 0)], ("client",)) == [("metrics", 0)]
    assert ports.wanted(None, [("serve", 0), ("client", 0)], ()) == [("serve", 0), ("client", 0)]
