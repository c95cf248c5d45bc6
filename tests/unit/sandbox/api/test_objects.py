"""Objects are made, changed and deleted as a real API server of version 1.36 does it, step by step as recorded.

Left out of the comparison: what is made up anew each time (uids, versions, times, addresses, generated endings) and the
diff of its own inner form that the real server puts behind some texts.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.store import Store
from tests.unit.sandbox.api.recorded import answers

Object = dict[str, Any]

STEPS = answers("objects")
SCENARIOS = list(dict.fromkeys(step["scenario"] for step in STEPS))
LEFT_OUT = frozenset({"uid", "resourceVersion", "conditions"})
SAME = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,23}"), "UID"),
    (re.compile(r"\b10\.96\.\d+\.\d+\b"), "IP"),
    (re.compile(r"\b(gen|q4|Bad_Name)-[a-z0-9]{5}\b"), r"\1-xxxxx"),
    (re.compile(r"in record \(\d+\)"), "in record (N)"),
    # Ours names the fields where the real server shows a diff of its inner form.
    (re.compile(r"(previously negative\)).*", re.DOTALL), r"\1"),
)
TIMES = frozenset({"creationTimestamp", "deletionTimestamp"})


def comparable(value: Any) -> Any:
    """Without what differs each time, and without empty lists (the real server leaves them out)."""
    if isinstance(value, dict):
        shown = {
            key: "TIME" if key in TIMES else "PORT" if key == "nodePort" else comparable(each)
            for key, each in value.items()
            if key not in LEFT_OUT
        }
        return {key: each for key, each in shown.items() if each not in (None, [])}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    if isinstance(value, str):
        for form, instead in SAME:
            value = form.sub(instead, value)
    return value


def merge(held: Object, change: Object) -> None:
    """A merge patch, RFC 7386, in place."""
    for key, value in change.items():
        if value is None:
            held.pop(key, None)
        elif isinstance(value, dict):
            if not isinstance(held.get(key), dict):
                held[key] = {}
            merge(held[key], value)
        else:
            held[key] = copy.deepcopy(value)


def answer(objects: Objects, step: Object) -> tuple[int, Object | None]:
    """Code and body of one step; no body where the object is gone."""
    group, _, version = step["api"].rpartition("/")
    kind = kinds.by_path(group, version, step["plural"])
    assert kind is not None
    namespace = "lab" if kind.namespaced else ""
    name, options = step.get("name", ""), step.get("options", {})
    try:
        if step["do"] == "create":
            return 201, objects.create(kind, step["body"], namespace)
        if step["do"] == "patch":
            return 200, objects.edit(kind, namespace, name, lambda held: merge(held, step["body"]))
        if step["do"] == "get":
            return 200, objects.get(kind, namespace, name)
        asked = {key: options[key] for key in ("grace", "uid", "propagation") if key in options}
        gone = objects.delete(kind, namespace, name, **{"propagation": "", **asked}, version=options.get("seen", ""))
    except Refused as refused:
        return refused.code, refused.status
    return 200, gone


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_step_by_step(scenario: str) -> None:
    """Each answer is the recorded one."""
    objects = Objects(Store())
    for name in ("default", "lab"):
        objects.create(kinds.NAMESPACES, {"metadata": {"name": name}})
    objects.create(kinds.SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}, "lab")
    for step in STEPS:
        if step["scenario"] != scenario:
            continue
        code, body = answer(objects, step)
        asked = json.dumps({key: step[key] for key in ("do", "plural", "name", "body", "options") if key in step})
        assert code == step["code"], f"{asked}: {body and body.get('message')}"
        if body is not None:
            body = {key: value for key, value in body.items() if key != "status" or body["kind"] != "Job"}
            assert comparable(body) == comparable(step["answer"]), asked
