"""Which ports of a head are opened, and where on this machine: `--port`, `--ports`, `--address`."""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.flags.names import offers

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

NAMES = ("client", "dashboard", "serve", "metrics")
ALL = "all"
LOCALHOST = "localhost"
LARGEST = 65535


def number(text: str) -> int:
    """A local port; 0 is any free one.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    import argparse

    digits = text.lstrip("0")[:9]  # int() refuses thousands of them
    if not (text.isascii() and text.isdigit() and int(digits or 0) <= LARGEST):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: write a number from 1 to {LARGEST}, or 0 for any")
    return int(digits or 0)


def one(text: str) -> tuple[str, int]:
    """`NAME=LOCAL`: which port of the head is to have which local port.

    Raises:
        argparse.ArgumentTypeError: it cannot be read, or there is no such port.
    """
    import argparse

    name, equals, local = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} does not say which: write --port dashboard=9000")
    return _name(name, argparse.ArgumentTypeError), number(local)


def several(text: str) -> tuple[str, ...]:
    """`client,dashboard`: names of ports; `all` among them is all of them.

    Raises:
        argparse.ArgumentTypeError: there is no such port.
    """
    import argparse

    words = [word for word in text.split(",") if word.strip().lower() != ALL]
    named = [_name(word, argparse.ArgumentTypeError) for word in words]
    return NAMES if len(words) < text.count(",") + 1 else tuple(dict.fromkeys(named))


def _name(text: str, error: type[Exception]) -> str:
    name = text.strip().lower()
    if name not in NAMES:
        raise error(f"{text!r} is no port of a head: there are {', '.join(NAMES)}")
    return name


def addresses(text: str) -> tuple[str, ...]:
    """`localhost` (127.0.0.1 and, where this machine has it, ::1), or IP addresses of this machine.

    Raises:
        argparse.ArgumentTypeError: one is neither.
    """
    import argparse
    import ipaddress

    found: list[str] = []
    for each in text.split(","):
        word = each.strip()
        if word.lower() == LOCALHOST:
            found += ["127.0.0.1", "::1"]
            continue
        try:
            found.append(str(ipaddress.ip_address(word.strip("[]"))))
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{word!r} is no address of this machine: write localhost or an IP address"
            ) from None
    return listened([tuple(found)])


def listened(given: Sequence[Sequence[str]] | None) -> tuple[str, ...]:
    """The addresses of each `--address` together; () is localhost."""
    found = [each for group in given or () for each in group]
    return tuple(each for each in dict.fromkeys(found) if not _covered(each, found))


def _covered(address: str, others: Sequence[str]) -> bool:
    """Every address of its kind is among the others: the two cannot both be listened on."""
    every = "::" if ":" in address else "0.0.0.0"  # noqa: S104 -- only if a person asks for it
    return every in others and address != every


def add_address(parser: argparse._ActionsContainer) -> None:
    """Add `--address` → args.address, which `listened` joins: where to listen; None is localhost."""
    action = parser.add_argument(
        "--address",
        action="append",
        type=addresses,
        metavar="ADDRESS",
        help="listen on this address instead of localhost; others can then reach the ports; repeatable",
    )
    offers(action, (LOCALHOST, "0.0.0.0"))  # noqa: S104 -- only if a person asks for it


def add_ports(parser: argparse._ActionsContainer) -> None:
    """Add `--port` → args.port, pairs of name and local port, and `--ports` → args.ports, names or None."""
    port = parser.add_argument(
        "--port",
        action="append",
        default=[],
        type=one,
        metavar="NAME=LOCAL",
        help="local port of client, dashboard, serve or metrics; 0 is any free one; repeatable",
    )
    offers(port, tuple(f"{name}=" for name in NAMES))
    ports = parser.add_argument(
        "--ports",
        action="extend",
        type=several,
        metavar="LIST",
        help="which to open: client,dashboard,serve,metrics or all (client,dashboard; of a RayService serve too)",
    )
    offers(ports, (*NAMES, ALL))


def wanted(
    ports: Sequence[str] | None, chosen: Sequence[tuple[str, int]], usual: Sequence[str]
) -> list[tuple[str, int | None]]:
    """The ports to open, each with its local one (None: the usual); those with a chosen number come along.

    Raises:
        WrongUse: two numbers for one port, or one number for two.
    """
    numbers: dict[str, int] = {}
    for name, local in chosen:
        if numbers.setdefault(name, local) != local:
            raise WrongUse(f"--port {name} is given twice: {numbers[name]} and {local}", hint="Give it once.")
    taken: dict[int, str] = {}
    for name, local in numbers.items():
        if local and taken.setdefault(local, name) != name:
            raise WrongUse(
                f"{taken[local]} and {name} cannot both have port {local}", hint="Give each a port of its own."
            )
    names = dict.fromkeys((*(ports or usual), *numbers))
    return [(name, numbers.get(name)) for name in names]
