"""Every error a person can meet, in one tree; each knows its words, its way out and its exit code.

::

    KubectlRayError            1   something went wrong
    ├── WrongUse               2   the command line cannot be meant like this
    ├── NotReady               3   it is not ready, or became impossible
    │   └── TimedOut           3   the time given with --timeout is over; nothing was changed
    ├── NotAllowed             4   the login may not do this (HTTP 403)
    │   └── NotLoggedIn        4   no login, or it expired (HTTP 401)
    ├── NotFound               5   no such object, group, context or namespace
    ├── AlreadyExists          1   the name is taken
    ├── Conflict               1   somebody else changed it meanwhile
    ├── Invalid                1   the API server refused the object
    ├── Expired                1   a list's or watch's place in history is gone (HTTP 410); callers start over
    ├── Unreachable            1   nobody answers at the API server's address
    ├── CommandNotStarted    127   the command given behind `--` does not exist; 126: it cannot be executed
    └── ServerError            1   the API server answered, but with something that helps nobody

`message` says what failed and why in one or more lines; `hint` says what to do and is shown last.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class KubectlRayError(Exception):
    """The root: shown as `message`, then `hint`; the process ends with `exit_code`."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        # What the API server's Status said beside its words: HTTP code, reason, details (causes, continue token).
        self.code = 0
        self.reason = ""
        self.details: dict[str, Any] = {}
        # The API group that the server does not know at all (its definition is not installed), on NotFound.
        self.missing_group = ""


class WrongUse(KubectlRayError):
    """The command line cannot be meant like this."""

    exit_code = 2


class NotReady(KubectlRayError):
    """What was waited for is not ready, or cannot become ready."""

    exit_code = 3


class TimedOut(NotReady):
    """The time given with `--timeout` is over. Nothing was changed or deleted by giving up."""


class NotAllowed(KubectlRayError):
    """The login may not do this (HTTP 403)."""

    exit_code = 4


class NotLoggedIn(NotAllowed):
    """No usable login, or it expired (HTTP 401)."""


class NotFound(KubectlRayError):
    """No such object, group, context or namespace."""

    exit_code = 5


class AlreadyExists(KubectlRayError):
    """The name is taken."""


class Conflict(KubectlRayError):
    """Somebody else changed the object meanwhile."""


class Invalid(KubectlRayError):
    """The API server refused the object; `message` names the fields."""


class Expired(KubectlRayError):
    """A continue token or a resource version is too old (HTTP 410): list again."""


class Unreachable(KubectlRayError):
    """Nobody answers at the API server's address."""


class ServerError(KubectlRayError):
    """The API server answered with something that helps nobody (5xx, or not HTTP at all)."""


class CommandNotStarted(KubectlRayError):
    """The command given behind `--` does not exist (exit code 127, as shells have it), or cannot be executed (126)."""

    exit_code = 127
