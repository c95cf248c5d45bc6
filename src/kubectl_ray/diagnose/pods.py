"""Why one pod is not ready, in a few plain words with the numbers that the scheduler or the kubelet gives.

Source of the states: Kubernetes' container states and pod conditions, as the real ones were seen to write them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.models.pod import Pod

LONGEST = 160
"""Characters of a foreign text that still fit a line of progress."""

IN_WORDS = {
    "ErrImagePull": "the image cannot be pulled",
    "ImagePullBackOff": "the image cannot be pulled",
    "InvalidImageName": "the image's name is not valid",
    "ErrImageNeverPull": "the image is not on the node, and must not be pulled",
    "CreateContainerConfigError": "cannot be started",
    "CreateContainerError": "cannot be started",
    "RunContainerError": "cannot be started",
    "CrashLoopBackOff": "stops again and again",
}

LACKS = {"cpu": "CPU", "nvidia.com/gpu": "GPUs (nvidia.com/gpu)", "google.com/tpu": "TPUs (google.com/tpu)"}
"""What a machine may lack, in words; `memory` is one already."""

CAUSES = (
    ("didn't match Pod's node affinity/selector", "without the labels asked for"),
    ("had untolerated taint", "reserved for others (tainted)"),
    ("were unschedulable", "closed to new work (cordoned)"),
    ("Too many pods", "full of pods"),
)
"""Other causes of the scheduler's, by a part of their text."""


def why(pod: Pod) -> str:
    """Why this pod is not ready; empty when it is, or when it is simply on its way."""
    if pod.ready:
        return ""
    if pod.deleting:
        return "stopping"
    if pod.phase == "Pending" and pod.unschedulable:
        return f"no room: {_short(scheduler_words(pod.unschedulable))}"
    if pod.terminated.get("reason") == "OOMKilled":
        return "out of memory: it was stopped for using more than its limit"
    reason = pod.waiting_reason
    if reason:
        words = IN_WORDS.get(reason, reason)
        return f"{words}: {_short(pod.waiting_message)}" if pod.waiting_message else words
    return ""


def scheduler_words(message: str) -> str:
    """Why the scheduler finds no room, in plain words, without what it says of preemption and claims.

    `0/5 nodes are available: 3 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector. preemption: …`
    becomes `of 5 machines, 3 lack CPU, 2 do not match the node selector`. An unknown cause keeps its own words.

    Source: kube-scheduler's FitError, `0/N nodes are available: COUNT REASON, ….`
    """
    for end in (". no new claims", ". preemption:", " preemption:"):
        message = message.partition(end)[0]
    message = message.rstrip(". ")
    head, found, causes = message.partition(" nodes are available: ")
    total = head.partition("/")[2]
    if not found or not total.isdigit():
        return message
    return f"of {total} machine{'' if total == '1' else 's'}, {', '.join(map(_cause, causes.split(', ')))}"


def _cause(text: str) -> str:
    """One cause with its number of machines: `3 Insufficient cpu` → `3 lack CPU`."""
    number, _, reason = text.partition(" ")
    lacks = reason.removeprefix("Insufficient ")
    if lacks != reason:
        return f"{number} lack{'s' if number == '1' else ''} {LACKS.get(lacks, lacks)}"
    for words, plain in CAUSES:
        if words in reason:
            return f"{number} {plain}"
    return text


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
