"""Objects of built-in kinds, read as the real server's decoder reads them into its types.

Unknown fields are left out and told; a value of the wrong JSON type is refused with the decoder's words; quantities and
times get their one form; lists and maps that are empty vanish. Source of the words: Go's `encoding/json` (decode.go).
"""

from __future__ import annotations

import base64
import binascii
import copy
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from kubectl_ray.sandbox.api import quantities, schemas
from kubectl_ray.sandbox.api.decoding import joined

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
TIME, MICRO_TIME = META + "Time", META + "MicroTime"
INT32, INT64 = range(-(2**31), 2**31), range(-(2**63), 2**63)
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

EMBEDDED = {
    "Probe": ("ProbeHandler", {"exec", "grpc", "httpGet", "tcpSocket"}),
    **dict.fromkeys(
        (
            "ConfigMapEnvSource",
            "ConfigMapKeySelector",
            "ConfigMapProjection",
            "ConfigMapVolumeSource",
            "SecretEnvSource",
            "SecretKeySelector",
            "SecretProjection",
        ),
        ("LocalObjectReference", {"name"}),
    ),
}
"""Fields whose Go type comes from a type inside the type; its name is part of the path in messages."""

NAMED = {
    "uid": "types.UID",
    "imagePullPolicy": "v1.PullPolicy",
    "restartPolicy": "v1.RestartPolicy",
    "dnsPolicy": "v1.DNSPolicy",
    "protocol": "v1.Protocol",
    "terminationMessagePolicy": "v1.TerminationMessagePolicy",
}
"""Text fields with a Go type of their own, by their names; the OpenAPI documents do not tell it."""


SHOWN_ALWAYS: dict[str, dict[str, Any]] = {
    "PodCondition": {"lastProbeTime": None},
    "Event": {"eventTime": None, "firstTimestamp": None, "lastTimestamp": None, "source": {}},
}
"""Fields that are there even when nothing is in them."""


class WrongType(Exception):
    """A value that the Go type cannot hold; the message is the decoder's."""


class Read(NamedTuple):
    """What became of an object, and the paths of the fields that its type does not have."""

    value: Any
    unknown: list[str]


class _Field(NamedTuple):
    """Where a value stands: the Go type that has the field, the path without indexes, and the path with them."""

    owner: str
    go_path: str
    path: str

    @property
    def shown(self) -> str:
        return f"Go struct field {self.owner}.{self.go_path}" if self.go_path else "Go value"


def read(type_name: str, value: Any, path: str = "") -> Read:
    """An object as its type holds it; `path` is where it stands, for the paths of unknown fields.

    Raises:
        WrongType: a value is of another JSON type than the field.
    """
    unknown: list[str] = []
    made = _value({"$ref": schemas.REF + type_name}, value, _Field(_short(type_name), "", path), unknown)
    return Read(made, unknown)


def _short(type_name: str) -> str:
    return type_name.rpartition(".")[2]


def _value(schema: schemas.Schema, value: Any, field: _Field, unknown: list[str]) -> Any:
    name = schemas.referred(schema)
    if name is not None:
        scalar = SCALARS.get(name)
        if scalar is not None:
            return scalar(value)
        schema = schemas.types()[name]
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, name, value, field, unknown)
    if kind == "array":
        if not isinstance(value, list):
            raise _wrong(value, field, go_type(schema))
        items = schema["items"]
        return [
            _value(items, each, field._replace(path=f"{field.path}[{index}]"), unknown)
            for index, each in enumerate(value)
        ]
    if kind == "string" or schema.get("format") == "int-or-string":
        return _text(schema, value, field)
    _check_scalar(schema, value, field)
    return value


def _check_scalar(schema: schemas.Schema, value: Any, field: _Field) -> None:
    kind = schema.get("type")
    if kind == "integer":
        _whole(schema, value, field)
    elif kind == "boolean" and not isinstance(value, bool):
        raise _wrong(value, field, "bool")
    elif kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise _wrong(value, field, "float64")


def _object(schema: schemas.Schema, name: str | None, value: Any, field: _Field, unknown: list[str]) -> Any:
    if not isinstance(value, dict):
        raise _wrong(value, field, _go_name(name) if name else go_type(schema))
    if "properties" not in schema:
        inner = schema.get("additionalProperties")
        if not isinstance(inner, dict):
            return value
        text = schemas.resolved(inner).get("type") == "string"
        kept = {key: "" if each is None and text else each for key, each in value.items()}
        return {
            key: _value(inner, each, field._replace(path=joined(field.path, key)), unknown)
            for key, each in kept.items()
            if each is not None
        }
    owner = _short(name) if name else field.owner
    known, required = schema["properties"], schema.get("required", ())
    made: dict[str, Any] = {}
    for key, each in value.items():
        inner = known.get(key)
        path = joined(field.path, key)
        if inner is None:
            unknown.append(path)
        elif each is not None:
            within = _embedded(owner, key)
            go_path = joined(field.go_path, f"{within}.{key}" if within else key)
            read_value = _value(inner, each, _Field(within or owner, go_path, path), unknown)
            if key in required or not _vanishes(inner, read_value):
                made[key] = read_value
    for key, each in SHOWN_ALWAYS.get(owner, {}).items():
        if key in known and key not in made:
            made[key] = copy.copy(each)
    return made


def _embedded(owner: str, key: str) -> str:
    if owner == "Volume":
        return "" if key == "name" else "VolumeSource"
    if owner == "EphemeralContainer":
        return "" if key == "targetContainerName" else "EphemeralContainerCommon"
    within, fields = EMBEDDED.get(owner, ("", set()))
    return within if key in fields else ""


def _vanishes(schema: schemas.Schema, value: Any) -> bool:
    """Empty lists and maps are as if they were not there; an empty object of a type is kept."""
    if value == []:
        return True
    return value == {} and "properties" not in (inner := schemas.resolved(schema)) and "additionalProperties" in inner


def _text(schema: schemas.Schema, value: Any, field: _Field) -> str:
    form = schema.get("format")
    if form == "int-or-string":
        if isinstance(value, str):
            return value
        _whole({"format": "int32"}, value, field)
        return value  # type: ignore[no-any-return]
    if not isinstance(value, str):
        named = NAMED.get(field.go_path.rpartition(".")[2], "string")
        raise _wrong(value, field, "[]uint8" if form == "byte" else named)
    if form == "byte":
        try:
            return base64.b64encode(base64.b64decode(re.sub(r"[\r\n]", "", value), validate=True)).decode()
        except (binascii.Error, ValueError):
            raise WrongType(f"illegal base64 data at input byte {_first_wrong_byte(value)}") from None
    return value


def _first_wrong_byte(text: str) -> int:
    good = re.match(r"[A-Za-z0-9+/\r\n]*", text)
    end = good.end() if good else 0
    return end if end < len(text) and text[end] != "=" else max(0, len(text) - len(text) % 4)


def _whole(schema: schemas.Schema, value: Any, field: _Field) -> None:
    form = schema.get("format", "int64")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value, field, form)
    if not isinstance(value, int) or value not in (INT32 if form == "int32" else INT64):
        raise WrongType(f"json: cannot unmarshal number {_number(value)} into {field.shown} of type {form}")


def _number(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python writes
        return "..."


def _wrong(value: Any, field: _Field, wanted: str) -> WrongType:
    return WrongType(f"json: cannot unmarshal {json_type(value)} into {field.shown} of type {wanted}")


def json_type(value: Any) -> str:
    """What Go calls the kind of a JSON value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "null"


def _go_name(type_name: str) -> str:
    """`v1.PodSpec`."""
    return ".".join(type_name.rsplit(".", 2)[-2:])


def go_type(schema: schemas.Schema) -> str:
    """What Go calls the type of a field."""
    name = schemas.referred(schema)
    if name is not None:
        return _go_name(name)
    kind = schema.get("type")
    if kind == "array":
        return "[]" + go_type(schema["items"])
    if kind == "object":
        inner = schema.get("additionalProperties")
        if not isinstance(inner, dict):
            return "map[string]interface {}"
        return "v1.ResourceList" if schemas.referred(inner) == QUANTITY else f"map[string]{go_type(inner)}"
    if kind == "integer":
        return str(schema.get("format", "int64"))
    return {"boolean": "bool", "number": "float64"}.get(str(kind), "string")


def _quantity(value: Any) -> str:
    try:
        return quantities.canonical(value)
    except ValueError as wrong:
        raise WrongType(str(wrong)) from None


def _moment(value: Any, layout: str) -> datetime:
    if not isinstance(value, str):
        raise WrongType(f"json: cannot unmarshal {json_type(value)} into Go value of type string")
    if RFC3339.fullmatch(value):
        try:
            # Python reads at most six digits of a second, Go nine
            return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.upper())).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise WrongType(f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"')


def _time(value: Any) -> str:
    return _moment(value, "2006-01-02T15:04:05Z07:00").strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(value: Any) -> str:
    return _moment(value, "2006-01-02T15:04:05.000000Z07:00").strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _as_it_is(value: Any) -> Any:
    return value


SCALARS = {
    QUANTITY: _quantity,
    TIME: _time,
    MICRO_TIME: _micro_time,
    META + "FieldsV1": _as_it_is,
    "io.k8s.apimachinery.pkg.runtime.RawExtension": _as_it_is,
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": _as_it_is,
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": _as_it_is,
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": _as_it_is,
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": _as_it_is,
}
"""Types that read themselves."""
