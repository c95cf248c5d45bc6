"""What can go wrong while the real cluster is built, started or disturbed.

RealClusterError            exit code 1: a step failed; the message ends with what to look at
└── MachineUnfit            exit code 2: this machine lacks something; nothing was changed
"""

from __future__ import annotations


class RealClusterError(Exception):
    """A step failed; the message says which, why, and where to look."""

    exit_code = 1


class MachineUnfit(RealClusterError):
    """The machine lacks root, Linux, Go or something else that cannot be brought along."""

    exit_code = 2
