"""A KubeRay without machines: Ray clusters, their pods, and an operator, on the fake API server of `tests.wire`."""

from __future__ import annotations

from tests.kuberay.objects import cluster, event, group, head, namespace, worker
from tests.kuberay.operator import Operator
from tests.kuberay.world import Outcome, World

__all__ = ["Operator", "Outcome", "World", "cluster", "event", "group", "head", "namespace", "worker"]
