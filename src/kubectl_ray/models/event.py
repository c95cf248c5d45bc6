"""An event about an object: what the operator, the scheduler or a machine reported."""

from __future__ import annotations

from kubectl_ray.models.age import epoch
from kubectl_ray.models.fields import dig, mapping, text, whole

COMBINED = "(combined from similar events): "


class Event:
    """A read-only view of a core/v1 Event (or events.k8s.io/v1, whose fields have other names)."""

    __slots__ = ("raw",)

    def __init__(self, raw: object) -> None:
        self.raw = mapping(raw)

    @property
    def reason(self) -> str:
        """One word: `FailedScheduling`."""
        return text(self.raw.get("reason"))

    @property
    def message(self) -> str:
        """The words, without the mark of combined events."""
        words = text(self.raw.get("message")) or text(self.raw.get("note"))
        return words.removeprefix(COMBINED)

    @property
    def warning(self) -> bool:
        """Something is wrong, as its reporter sees it."""
        return self.raw.get("type") == "Warning"

    @property
    def about(self) -> tuple[str, str]:
        """(kind, name) of the object it is about."""
        return (text(self._about("kind")), text(self._about("name")))

    @property
    def uid(self) -> str:
        """The uid of the object it is about."""
        return text(self._about("uid"))

    def _about(self, key: str) -> object:
        return dig(self.raw, "involvedObject", key) or dig(self.raw, "regarding", key)

    @property
    def count(self) -> int:
        """How many times it happened."""
        times = whole(dig(self.raw, "series", "count")) or whole(self.raw.get("count")) or 1
        return max(times, 1)

    @property
    def last(self) -> float | None:
        """When it last happened, epoch seconds. The scheduler fills other fields than the kubelet does."""
        for stamp in (
            dig(self.raw, "series", "lastObservedTime"),
            self.raw.get("lastTimestamp"),
            self.raw.get("deprecatedLastTimestamp"),
            self.raw.get("eventTime"),
            self.raw.get("firstTimestamp"),
            dig(self.raw, "metadata", "creationTimestamp"),
        ):
            seconds = epoch(stamp)
            if seconds is not None:
                return seconds
        return None
