"""Conditions of a status."""

from __future__ import annotations

from kubectl_ray.sandbox.operator import conditions

THEN, NOW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def test_a_new_condition_goes_to_the_end() -> None:
    """The order is the order in which they came."""
    held: conditions.Conditions = []
    for type_ in ("B", "A"):
        conditions.put(held, type_, status="True", reason="R", message="", now=NOW)
    assert [each["type"] for each in held] == ["B", "A"]


def test_the_time_moves_with_the_status_only() -> None:
    """A new reason or message leaves it."""
    held: conditions.Conditions = []
    conditions.put(held, "A", status="True", reason="R", message="", now=THEN)
    conditions.put(held, "A", status="True", reason="S", message="m", now=NOW)
    assert held[0] == {"lastTransitionTime": THEN, "message": "m", "reason": "S", "status": "True", "type": "A"}
    conditions.put(held, "A", status="False", reason="S", message="m", now=NOW)
    assert held[0]["lastTransitionTime"] == NOW


def test_removing() -> None:
    """Only the one; and none that is not there."""
    held: conditions.Conditions = []
    conditions.put(held, "A", status="True", reason="R", message="", now=NOW)
    conditions.remove(held, "B")
    assert conditions.is_true(held, "A")
    conditions.remove(held, "A")
    assert not conditions.is_true(held, "A")
