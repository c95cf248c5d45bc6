"""Why a reconciliation stopped before its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.refusals import Refused


class ReconcileError(Exception):
    """It stopped, and is tried again; `reason` where pods could not be created or deleted: the status tells of it."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason


def of_pods(reason: str, refused: Refused) -> ReconcileError:
    """Pods could not be created or deleted; the reason is FailedCreateHeadPod or the like."""
    return ReconcileError(f"{reason}\n{refused.message}", reason)
