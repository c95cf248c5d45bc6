"""kubectl ray: Ray clusters on Kubernetes for people who do not know Kubernetes."""

from __future__ import annotations

__version__ = "0.1.0"
