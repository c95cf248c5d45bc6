"""Pods whose spec contradicts itself, or asks for what no pod may have."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.sandbox.api.admission import pod_rules


def told(**mount: Any) -> list[str]:
    """What is said of a pod with this mount."""
    container = {"name": "a", "image": "i", "imagePullPolicy": "Always", "volumeMounts": [mount]}
    spec = {
        "containers": [container],
        "volumes": [{"name": "v", "emptyDir": {}}],
        "restartPolicy": "Always",
        "dnsPolicy": "Default",
    }
    return [f"{field}: {message}" for _reason, message, field in pod_rules.causes(spec)]


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"subPath": "../b"}, [""".subPath: Invalid value: "../b": must not contain '..'"""]),
        ({"subPath": "/b"}, ['.subPath: Invalid value: "/b": must be a relative path']),
        (
            {"subPath": "/c/../d"},
            [
                '.subPath: Invalid value: "/c/../d": must be a relative path',
                """.subPath: Invalid value: "/c/../d": must not contain '..'""",
            ],
        ),
        (
            {"subPath": "x", "subPathExpr": "../y"},
            [
                '[0].subPathExpr: Invalid value: "../y": subPathExpr and subPath are mutually exclusive',
                """.subPathExpr: Invalid value: "../y": must not contain '..'""",
            ],
        ),
        ({"subPath": "a..b/c"}, []),
    ],
)
def test_a_part_of_a_volume_is_inside_of_it(parts: dict[str, str], why: list[str]) -> None:
    """Recorded: neither an absolute path nor one that goes up; fields are named as the server does."""
    at = "spec.containers[0].volumeMounts"
    assert told(name="v", mountPath="/a", **parts) == [f"{at}{each}" for each in why]
