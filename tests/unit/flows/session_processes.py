"""Sessions kept open by real processes: each writes itself into the registry and waits to be ended."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PROGRAM = """
import signal, sys
from kubectl_ray.flows.sessions import Registry, Session
{before}
signal.signal(signal.SIGTERM, {handler})
if {waits}: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # it is not lost before it is waited for
fields = {fields!r}
with Registry({env!r}).enter(Session(**fields), {id!r}) as entry:
    print(entry.session.pid, flush=True)
    {after}
    signal.sigwait([signal.SIGTERM])
"""
FIELDS = {"server": "https://example", "namespace": "default", "kind": "raycluster", "name": "a", "context": "dev"}


@contextlib.contextmanager
def session(
    env: Mapping[str, str], *, deaf: bool = False, named: str = "", before: str = "", after: str = "", **fields: object
) -> Iterator[subprocess.Popen[str]]:
    """One that is in the registry by the time this is entered; `deaf` to SIGTERM."""
    program = _PROGRAM.format(
        handler="signal.SIG_IGN" if deaf else "signal.SIG_DFL",
        waits=not deaf,
        fields={**FIELDS, **fields},
        env=dict(env),
        id=named,
        before=before,
        after=after,
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], env={"PATH": "", **env}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{process.pid}\n"
        yield process
    finally:
        process.kill()
        process.communicate()
