"""The differences between our RayJobs and the recorded ones that are accepted, each with its reason.

Not compared at all: `rayClusterStatus` (a copy; the cluster has its own replays), times, counts of events, and what a
recording cut off.
"""

from __future__ import annotations

import re
from typing import Any

Object = dict[str, Any]

_POD = re.compile(r"^(Created pod: \S+-)[a-z0-9]{5}$")

LATER = {
    "dl": {("Job", "Normal", "Completed", "Job completed")},
}
"""What happened after the end of a replay: another RayJob's deletion took the cluster away, and the submitter ended."""


def without_skipped(ours: list[Object], theirs: list[Object]) -> list[Object]:
    """Ours without PENDING where the recorded operator did not come to look before Ray had begun with the job."""
    return [each for each in ours if each.get("jobStatus") != "PENDING" or each in theirs]


def events(told: set[Any], name: str) -> set[Any]:
    """Without names of pods.

    And without what says how hurried the API server was: a service that is not seen yet is made once more, in vain.
    """
    kept = {(*each[:3], _POD.sub(r"\1XXXXX", each[3])) for each in told if each[2] != "FailedToCreateService"}
    return kept - LATER.get(name, set())
