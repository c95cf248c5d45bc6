"""The differences between our operator and the recorded one that are accepted, each with its reason.

What two runs can never share (names, times, addresses) is in `normal`; which pod stands for which is in `replay`.
"""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Object = dict[str, Any]

_SMALLER = re.compile(r"^(Deleted Pod \S+-)[a-z0-9]{5}$")
_HEAD = "status.conditions[HeadPodReady]"


def head_seen_later(flat: Object) -> Object:
    """The real operator reads from a cache and may not see the head that it has just made; ours always does.

    So `HeadPodNotFound` without a head's name is the same as `Unknown` with one, as long as the cluster is new.
    """
    reason = flat.get(f"{_HEAD}.reason")
    if reason not in {"HeadPodNotFound", "Unknown"} or flat.get("status.state"):
        return flat
    hidden = {"status.head.podName", f"{_HEAD}.reason", f"{_HEAD}.message"}
    return {path: value for path, value in flat.items() if path not in hidden}


def told_early(flat: Object) -> bool:
    """A status that may be missing in a recording: the first one, from before the machine knew of the head.

    Where the real operator was slow, its first status already tells of the head's containers.
    """
    return flat.get(f"{_HEAD}.reason") == "Unknown" and "status.state" not in flat


def any_pod(message: str) -> str:
    """Which pod goes when a group is made smaller is up to the order of the operator's cache, and to ours."""
    return _SMALLER.sub(r"\1XXXXX", message)


def any_order(events: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Pods that are deleted together are deleted in the order of a cache, too: a run of one reason has no order."""
    return [event for _reason, run in groupby(events, key=itemgetter(1)) for event in sorted(run)]


DROPPED_EVENTS = {
    "lifecycle": "a recorder drops what it has to say about one object after 25 events in a row; ours tells everything",
}
"""Recordings that lack events for a reason of the recorder's."""

NOT_REPLAYED = {
    "bad-dupgroups": "two groups of one name: pods are made and deleted without end, 630 lines of it were cut",
    "bad-rayversion-autosc": "refused by the schema of the CRD: the operator never hears of it",
    "bad-upper-name": "refused by the API server's rules for names: the operator never hears of it",
}
"""Recorded cases that are not here, with why."""
