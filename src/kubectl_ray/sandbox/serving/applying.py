"""Server-side apply through HTTP, and who wrote which field (KEP-555)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.serving.calls import Call
    from kubectl_ray.sandbox.serving.media import Form
    from kubectl_ray.sandbox.serving.options import Writing


def applied(call: Call, asked: Writing, text: bytes, form: Form) -> web.StreamResponse:
    """Not there yet."""
    raise NotImplementedError


def noted(call: Call, asked: Writing, before: Object | None, after: Object) -> Object:
    """Not there yet."""
    del call, asked, before
    return after
