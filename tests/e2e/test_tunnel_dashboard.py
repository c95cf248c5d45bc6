"""`kubectl ray cluster dashboard`: the browser is opened once the page answers, and the page is seen in a real one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.e2e.harness.browser import browser
from tests.e2e.harness.conditions import until
from tests.e2e.harness.sockets import answered, ask, get

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.harness.live import Live
    from tests.e2e.harness.running import Ray

URL = re.compile(r"http://(?:127\.0\.0\.1|localhost):(\d+)")


def port_of(running: Live) -> int:
    """Where the page is."""
    return int(until(lambda: URL.findall(running.said), "the address is said", within=30)[0])


def ended(running: Live) -> None:
    """Ctrl-C ends it."""
    running.interrupt()
    assert running.ended(within=5).code == -2


def test_browser_is_opened(ray: Ray, stand_in: str, tmp_path: Path) -> None:
    """The promised line, then the person's own browser, which finds the page there."""
    opener, told = tmp_path / "browser", tmp_path / "told"
    opener.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >>"{told}"\n')
    opener.chmod(0o755)
    with ray.having(BROWSER=str(opener), DISPLAY=":0").live(f"cluster dashboard {stand_in} --port 0") as running:
        running.see("Opening browser session to Ray dashboard ...")
        url = until(lambda: told.exists() and told.read_text().strip(), "the browser was called", within=30)
        found = URL.match(str(url))
        assert found, url
        assert answered(int(found[1]))["ray_version"] == "2.52.0"
        assert running.out == "Opening browser session to Ray dashboard ...\n"
        ended(running)


def test_no_browser(ray: Ray, stand_in: str) -> None:
    """On a machine without one: the address, and how to reach it from the machine where one sits."""
    with ray.live(f"cluster dashboard {stand_in} --port 0") as running:
        port = port_of(running)
        running.see(f"ssh -L {port}:127.0.0.1:{port}", within=10)
        assert answered(port)["ray_version"] == "2.52.0"
        ended(running)


def test_address_only(ray: Ray, stand_in: str) -> None:
    """--print-url: for a program that opens it by itself."""
    with ray.live(f"cluster dashboard {stand_in} --port 0 --print-url") as running:
        port = port_of(running)
        assert URL.findall(running.out) == [str(port)]
        assert answered(port)["ray_version"] == "2.52.0"
        ended(running)


def test_unknown_cluster(ray: Ray, stand_in: str) -> None:
    """Exit code 5 at once, and the near name; no browser."""
    assert stand_in in ray(f"cluster dashboard {stand_in}x --port 0", code=5, within=10).err.replace(f"{stand_in}x", "")


def test_page_in_a_browser(ray: Ray, ready_cluster: str) -> None:
    """Chromium shows the dashboard through the tunnel; its table has the job that was submitted the same way."""
    with browser() as page, ray.live(f"cluster dashboard {ready_cluster} --port 0 --print-url") as running:
        port = port_of(running)
        entrypoint = "python -c \"print('seen in a browser')\""
        job = {"entrypoint": entrypoint, "submission_id": f"seen-{port}"}
        headers = {"Content-Type": "application/json"}
        status, body = ask("POST", port, "/api/jobs/", json.dumps(job).encode(), headers)
        assert status == 200, body
        until(lambda: answered(port, f"/api/jobs/seen-{port}")["status"] == "SUCCEEDED", "the job is done")
        assert b"<html" in get(port, "/")[1]
        page.open(f"http://127.0.0.1:{port}/#/jobs")
        cells = page.table_row(f"seen-{port}")
        picture = page.keep_picture("dashboard-jobs")
        assert {entrypoint, "SUCCEEDED"} <= set(cells), cells
        assert picture.stat().st_size > 10_000
        print(f"the dashboard as Chromium showed it: {picture}")  # noqa: T201 - for who looks at the run
        ended(running)
