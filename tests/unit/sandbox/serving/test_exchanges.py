"""What a real API server answered to a row of requests, asked again of ours: each refusal must be the recorded one.

Differences that are accepted: protobuf is not among the media types (the sandbox does not speak it); uids, versions and
times are others.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.unit.sandbox.serving.world import CLUSTERS, World, play

RECORDED = Path(__file__).parents[3] / "recordings" / "api" / "exchanges.json"
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
VERSION = re.compile(r"(ResourceVersion in record \()\d+")
PROTOBUF = ", application/vnd.kubernetes.protobuf"
NOBODY = "00000000-0000-0000-0000-000000000000"


def comparable(value: Any) -> Any:
    """Without what is another one each time."""
    if isinstance(value, str):
        value = VERSION.sub(r"\1N", value.replace(PROTOBUF, ""))
        return UID.sub(lambda found: found[0] if found[0] == NOBODY else "UID", value)
    if isinstance(value, dict):
        return {key: comparable(inner) for key, inner in value.items()}
    return [comparable(each) for each in value] if isinstance(value, list) else value


async def put(world: World, what: str) -> Any:
    """The body of a recorded PUT, of which only its purpose was kept."""
    held = (await world.get(f"{CLUSTERS}/a1")).json
    meta = held["metadata"]
    if "stale" in what:
        meta["resourceVersion"] = "1"
    elif "another uid" in what:
        meta["uid"] = NOBODY
    elif "without resourceVersion" in what:
        del meta["resourceVersion"]
    return held


async def difference(world: World, recorded: Any) -> str:
    """Ask again; "" when the answer is as recorded."""
    body = await put(world, recorded["put"]) if "put" in recorded else recorded.get("body")
    answer = await world.ask(
        recorded["method"],
        recorded["path"],
        body.encode() if isinstance(body, str) else body,
        content_type=recorded.get("type", ""),
        **recorded.get("headers", {}),
    )
    if answer.code != recorded["status"]:
        return f"{recorded['what']}: {answer.code} instead of {recorded['status']}: {answer.text[:300]}"
    said: Any = answer.text if isinstance(recorded.get("response"), str) else answer.json
    if "response" in recorded:
        found, wanted = comparable(said), comparable(recorded["response"])
    else:
        found, wanted = said.get("metadata", {}).get("generation"), recorded.get("generation")
        if "kind" not in recorded:
            return ""
    if found != wanted:
        return f"{recorded['what']}:\n  {json.dumps(found)}\n  {json.dumps(wanted)}"
    return ""


def test_recorded_exchanges(tmp_path: Path) -> None:
    """Each is answered with the recorded code, and refusals in the recorded words."""
    recorded = json.loads(RECORDED.read_text())

    async def story(world: World) -> None:
        found = [await difference(world, each) for each in recorded]
        assert [each for each in found if each] == []

    play(tmp_path, story)
