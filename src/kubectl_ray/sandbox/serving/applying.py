"""Server-side apply through HTTP, and who wrote which field (KEP-555)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import apply, shapes
from kubectl_ray.sandbox.serving import answers, forms

if TYPE_CHECKING:
    from aiohttp import web

    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.serving.calls import Call
    from kubectl_ray.sandbox.serving.media import Form
    from kubectl_ray.sandbox.serving.options import Writing


def applied(call: Call, asked: Writing, text: bytes, form: Form) -> web.StreamResponse:
    """Make the object, or those of its fields that the patch names, as the patch says.

    Raises:
        Refused: what `apply` raises; 404 the status of what is not there; what `Objects.create` and `edit` raise.
    """
    kind, namespace, name = call.kind, call.namespace, call.asked.name
    status = call.asked.subresource == "status"
    live = call.objects.get(kind, namespace, name) if status else call.objects.find(kind, namespace, name)
    made = apply.applied(
        kind,
        live,
        apply.read_patch(kind, text, strict=asked.validation == shapes.STRICT),
        asked.manager,
        now=call.objects.now(),
        force=asked.force,
        subresource=call.asked.subresource,
        namespace=namespace,
        object_name=name,
    )
    admitted, warnings = shapes.admit_shape(kind, made, strict=asked.validation, old=live, status=status)
    code = 200
    if live is None:
        code = 201
        kept = call.objects.create(kind, admitted, namespace, dry_run=asked.dry_run)
    else:

        def change(held: Object) -> None:
            held.clear()
            held.update(admitted)

        kept = call.objects.edit(kind, namespace, name, change, status=status, dry_run=asked.dry_run)
    return answers.answered(
        call.request, forms.one(call, kept, form), code, media_type=form.media_type, warnings=warnings
    )


def noted(call: Call, asked: Writing, before: Object | None, after: Object) -> Object:
    """The object of another write than apply, with the record of its writers brought up to date."""
    if not isinstance(after.get("metadata"), dict):
        return after  # it will be refused
    return apply.tracked(
        call.kind, before, after, asked.manager, now=call.objects.now(), subresource=call.asked.subresource
    )
