"""YAML and JSON as kubectl reads them: one document of a file, in plain dicts, lists and scalars."""

from __future__ import annotations

import json

from kubectl_ray.errors import Invalid
from kubectl_ray.kube import plain_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse(data: bytes, name: str) -> Any:
    """Return the first document of `data`; None where there is none. `name` is what errors call it.

    Raises:
        Invalid: it is neither JSON nor YAML, or nested beyond reason.
    """
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not text in UTF-8 (byte {error.start})") from None
    if text.lstrip()[:1] == "{":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass  # YAML's flow mappings start like JSON; its reader has the better words for a real mistake
    plain = plain_yaml.read(text)
    if plain is not None:
        return plain
    from kubectl_ray.kube import full_yaml

    return full_yaml.load(text, name)
