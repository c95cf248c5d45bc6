"""Which form of an answer a client accepts, and which one its body has.

Source: apiserver, `pkg/endpoints/handlers/negotiation`; `Accept` is RFC 9110 §12.5.1.
"""

from __future__ import annotations

from typing import NamedTuple

from kubectl_ray.sandbox.api.refusals import Refused

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
OFFERED = (JSON, YAML)
"""Not protobuf: clients that prefer it name JSON as their second choice."""
BODIES = (JSON, YAML, PROTOBUF)
"""Bodies are read in protobuf too: kubectl sends its own kinds in nothing else."""
META = "meta.k8s.io"
TABLE, PARTIAL, PARTIAL_LIST = "Table", "PartialObjectMetadata", "PartialObjectMetadataList"


class Form(NamedTuple):
    """`kind` is "" for the object as it is, else what it is to be turned into."""

    media_type: str
    kind: str = ""


class _Clause(NamedTuple):
    media_type: str
    parameters: dict[str, str]
    quality: float


def form(accept: str, *, kinds: tuple[str, ...] = (TABLE, PARTIAL, PARTIAL_LIST), watch: bool = False) -> Form:
    """The first form of those that a client accepts which can be given.

    Raises:
        Refused: 406, there is none.
    """
    offered = (JSON,) if watch else OFFERED
    for clause in _clauses(accept or "*/*"):
        media_type = next((each for each in offered if _covers(clause.media_type, each)), "")
        wanted = clause.parameters.get("as", "")
        if not media_type or (watch and clause.parameters.get("stream", "watch") != "watch"):
            continue
        if not wanted:
            return Form(media_type)
        if wanted in kinds and clause.parameters.get("g") == META and clause.parameters.get("v") in {"v1", "v1beta1"}:
            return Form(media_type, wanted)
    told = [f"{each};stream=watch" for each in offered] if watch else offered
    raise Refused(406, "NotAcceptable", f"only the following media types are accepted: {', '.join(told)}")


def routed(accept: str, *, collection: bool) -> None:
    """What the real server's router checks before it looks at a request about a kind of Kubernetes' own.

    Raises:
        Refused: 406 in the router's words.
    """
    if any(clause.media_type in {JSON, YAML, PROTOBUF, "*/*"} for clause in _clauses(accept or "*/*")):
        return
    told = [*OFFERED, *([f"{JSON};stream=watch"] if collection else [])]
    raise Refused(406, "NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {', '.join(told)}", {})


def plain(accept: str) -> str:
    """JSON or YAML, whichever the client would rather have an error in."""
    for clause in _clauses(accept):
        for each in OFFERED:
            if _covers(clause.media_type, each):
                return each
    return JSON


def body_type(content_type: str, accepted: tuple[str, ...] = BODIES) -> str:
    """The media type of a body; without one it is the first.

    Raises:
        Refused: 415, it is none of those accepted.
    """
    given = content_type.partition(";")[0].strip().lower()
    if not given:
        return accepted[0]
    if given in accepted:
        return given
    raise Refused(
        415,
        "UnsupportedMediaType",
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}",
    )


def _clauses(accept: str) -> list[_Clause]:
    """Best first; those of one quality as they were written."""
    found = []
    for part in accept.split(","):
        media_type, *rest = (piece.strip() for piece in part.split(";"))
        parameters = dict(piece.partition("=")[::2] for piece in rest)
        found.append(_Clause(media_type.lower(), parameters, _quality(parameters.get("q", "1"))))
    return sorted((each for each in found if each.media_type), key=lambda each: -each.quality)


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 1.0
    return value if 0 <= value <= 1 else 1.0


def _covers(pattern: str, media_type: str) -> bool:
    return pattern in {media_type, "*/*"} or (pattern.endswith("/*") and media_type.startswith(pattern[:-1]))
