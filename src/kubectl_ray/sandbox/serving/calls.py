"""One request on its way through the server: what it asks for, of which kind, and who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.serving import media

if TYPE_CHECKING:
    from aiohttp import web

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.users import User
    from kubectl_ray.sandbox.serving.paths import Asked


class Call(NamedTuple):
    """A request about objects of a kind, whose user may do what it asks."""

    request: web.Request
    asked: Asked
    kind: Kind
    user: User
    objects: Objects

    @property
    def namespace(self) -> str:
        """The namespace asked about; "" is all of them, or none for what is outside of namespaces."""
        return self.asked.namespace if self.kind.namespaced else ""

    def form(self, *, watch: bool = False) -> media.Form:
        """How the client wants the answer.

        Raises:
            Refused: 406.
        """
        return media.form(self.request.headers.get("Accept", ""), watch=watch)
