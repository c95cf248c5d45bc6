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
    """The scheduler's text without what it says of preemption and claims.

    `0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: …` becomes
    `0/1 nodes are available: 1 Insufficient cpu`.
    """
    for end in (". no new claims", ". preemption:", " preemption:"):
        message = message.partition(end)[0]
    return message.rstrip(". ")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
