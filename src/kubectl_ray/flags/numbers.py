"""Numbers on the command line."""

from __future__ import annotations

import argparse


def count(text: str) -> int:
    """A whole number from 0 to 2147483647 (Kubernetes' int32)."""
    if not (text.isascii() and text.isdigit()) or len(text) > len("2147483647") or int(text) > 2**31 - 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2147483647")
    return int(text)
