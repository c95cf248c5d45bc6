"""What the reading commands share: where to look, in which order, and rows that go on as things change."""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.results import Note, Objects, Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeVar

    from kubectl_ray.context import Context
    from kubectl_ray.results import Column, Event

    T = TypeVar("T")

NOTHING_THERE = (0, 0)
"""The sorting key of an object without a value."""


def where(ctx: Context, args: argparse.Namespace) -> str:
    """The namespace to look in; "" is all of them."""
    return "" if args.all_namespaces else ctx.namespace


def in_words(namespace: str) -> str:
    """That place, for a sentence."""
    return f"in namespace {namespace}" if namespace else "in any namespace"


def sorter(path: str) -> Callable[[dict[str, Any]], tuple[int, Any]]:
    """The key that `--sort-by` sorts objects by: their first value at a JSONPath; those without one come first.

    Raises:
        WrongUse: it is no JSONPath.
    """
    if not path:
        return lambda _raw: NOTHING_THERE
    from kubectl_ray.models.quantity import amount
    from kubectl_ray.views.jsonpath import Path

    compiled = Path(path)

    def key(raw: dict[str, Any]) -> tuple[int, Any]:
        value = next(iter(compiled.values(raw)), None)
        if value is None:
            return NOTHING_THERE
        if isinstance(value, int | float):
            return (1, value)
        text = str(value)
        # As kubectl does: what reads as a quantity is ordered by its size.
        size = amount(text)
        return (1, size / 10**9) if size else (2, text)

    return key


def in_order(pairs: list[tuple[tuple[int, Any], T]], path: str) -> list[T]:
    """The second of each pair, sorted by the first, a key of `sorter`; as they came when no order is asked for.

    Raises:
        WrongUse: not one object has a value at that path: as kubectl says, it is mistyped.
    """
    if path:
        if pairs and all(key == NOTHING_THERE for key, _ in pairs):
            raise WrongUse(f"--sort-by={path}: none of them has such a field.", "Look at one with -o yaml.")
        pairs.sort(key=lambda pair: pair[0])
    return [thing for _, thing in pairs]


def objects(args: argparse.Namespace, found: Iterable[dict[str, Any]], *, single: bool = False) -> Objects:
    """The objects themselves, in the order asked for, for `-o json` and the like."""
    if args.sort_by:
        key = sorter(args.sort_by)
        found = in_order([(key(raw), raw) for raw in found], args.sort_by)
    return Objects(found, single=single)


def keep_showing(
    args: argparse.Namespace,
    columns: tuple[Column, ...],
    frames: Iterable[Iterable[tuple[dict[str, Any], Any]]],
) -> Iterator[Event]:
    """Rows (or objects, as `-o` says) of the first frame, then those that changed, for ever.

    A frame is all there is at one moment: each object with its row. A changed age is no change.
    """
    compared = [
        column
        for column in columns
        if column.title not in {"AGE", "RESTARTS"} and (args.output.wide or not column.wide)
    ]
    shown: dict[tuple[str, str], Any] = {}
    first = True
    for frame in frames:
        changed = []
        there = set()
        for raw, row in frame:
            place = (row.namespace, row.name)
            there.add(place)
            sign = (
                tuple(column.cell(row) for column in compared)
                if args.output.is_table
                else (raw.get("metadata") or {}).get("resourceVersion")
            )
            if shown.get(place) != sign:
                shown[place] = sign
                changed.append((raw, row))
        if args.output.is_table:
            if changed or first:
                yield Rows(columns, [row for _raw, row in changed], more=not first)
        else:
            yield from (Objects([raw], single=True) for raw, _row in changed)
        first = False
        for place in set(shown) - there:
            del shown[place]
            yield Note(f"{place[1]} is gone.")
