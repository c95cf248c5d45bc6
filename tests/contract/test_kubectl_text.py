"""JSON, YAML and JSONPath come out as the real kubectl writes them: the same object, byte for byte.

`kubectl label --local` reads an object and prints it without asking a server.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubectl_ray.views import json_text, yaml_text
from kubectl_ray.views.jsonpath import Template

KUBECTL = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="no kubectl; the development environment brings one")

OBJECT: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "x", "labels": {"a": "b", "team.example.com/name": "vision"}, "annotations": {}},
    "spec": {
        "numbers": [0, -3, 0.5, 1234567.5, 1e-7, 1e21, 12345678901234567890, 0.00001, 1000000000000000.5],
        "others": [None, True, False, [], {}, [[1], [{"a": 1}]]],
        "ambiguous": ["", "yes", "null", "~", "0x10", "017", "1_000", "12:30:45", "2026-10-01", "2026-10-01T00:00:00Z",
                      "1e3", ".5", "+.inf", "<<", "=", "0o7", "08", "on", "n", "1.2.3", "32Gi", "500m"],
        "signs": ["x: y", "- a", "#x", "a #b", "*x", "@x", "%x", "[x", "?x", "-x", "x:", ": x", "a, b", "`x", "it's",
                  '"q"', "trail ", " lead", "tab\tx", "back\\slash", "<a>&b", "é ü",
                  "\U0001f600", "\u001b[31m", "a\u0000b"],
        "lines": ["a\nb\n", "a\nb", "  lead\nb\n\n", "\n", "\n\n", "trail \nx", "a\r\nb", "tab\t\nx", "end\n\n\n"],
        "long": ["word " * 40, "w" * 200, "w: " * 60, "w\t " * 60, "word " * 40 + "\nx", "aa   bb  " * 30],
        "keys": dict.fromkeys(["a10", "a9", "a", "A", "_b", "b.c", "b", "true", "1", "01", "10", "2", "x y", "B2"], 1),
        "k" * 130: 1,
    },
}  # fmt: skip

TEMPLATES = [
    "{.metadata.name}", "x{.kind}y", "{.metadata}", "{.spec.numbers}", "{.spec.numbers[*]}", "{.spec.numbers[-1]}",
    "{.spec.numbers[1:3]}", "{.spec.numbers[0:4:2]}", "{.spec.numbers[0,2]}", "{.spec.others}", "{.spec.signs[*]}",
    "{range .spec.ambiguous[*]}{@}{'\\n'}{end}", "{.metadata.labels.team\\.example\\.com/name}", "{.nope}",
    "{.metadata.labels['a']}", "{['metadata','spec'].name}", "{.spec.numbers[?(@>1000.0)]}", "{.spec.numbers[99]}",
    "{.spec.lines[?(@=='a\\nb')]}", "{..name}", "{.metadata.name", "{end}", "{nope}", "{#}", "{.spec.numbers[x]}",
]  # fmt: skip


def kubectl(output: str) -> tuple[bool, str]:
    """Whether kubectl could print OBJECT so, and what it printed."""
    assert KUBECTL
    done = subprocess.run(
        [KUBECTL, "label", "--local", "-f", "-", "a=b", "-o", output],
        input=json.dumps(OBJECT),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode == 0, done.stdout


def test_json() -> None:
    """Numbers, escapes, order, margins."""
    assert (True, json_text.text(OBJECT) + "\n") == kubectl("json")


def test_yaml() -> None:
    """Quotes, blocks, folds, order of keys."""
    assert (True, yaml_text.text(OBJECT)) == kubectl("yaml")


@pytest.mark.parametrize("template", TEMPLATES)
def test_jsonpath(template: str) -> None:
    """The same text, or a refusal by both."""
    from kubectl_ray.errors import WrongUse

    try:
        mine = (True, Template(template).text(OBJECT))
    except WrongUse:
        mine = (False, "")
    assert mine == kubectl(f"jsonpath={template}")
