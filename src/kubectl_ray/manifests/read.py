"""Values as people write them, on the command line or in a config file, into what a shape holds.

`where` names the value in messages: a flag (`--worker-memory`) or a place in the file (`worker-groups[0].memory`).
"""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.models.age import length
from kubectl_ray.models.near import suggestion

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
AUTOSCALERS = {
    "v1": "v1", "v2": "v2", "default": "default", "true": "default", "on": "default", "false": "off", "off": "off",
}  # fmt: skip


def shown(where: str, value: object) -> str:
    """A flag with its value, or a place in a file with its value."""
    return f"{where}={value}" if where.startswith("-") else f"{where}: {value}"


def pairs(texts: list[str], where: str) -> dict[str, str]:
    r"""`a=1,b=2`, `c=3` → {"a": "1", "b": "2", "c": "3"}. A comma within a value is written `\,`.

    Raises:
        WrongUse: a part has no `=`, or nothing before it.
    """
    found: dict[str, str] = {}
    for text in texts:
        for part in _parts(text):
            key, equals, value = part.partition("=")
            if not equals or not key.strip():
                raise WrongUse(
                    f"{shown(where, text)}: {part!r} is no KEY=VALUE.", f"Write {where} key=value,key2=value2"
                )
            found[key.strip()] = value
    return found


def _parts(text: str) -> list[str]:
    """Split at commas that no backslash stands before."""
    parts, part, escaped = [], "", False
    for letter in text:
        if escaped:
            part += letter if letter == "," else "\\" + letter
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter == ",":
            parts.append(part)
            part = ""
        else:
            part += letter
    parts.append(part + ("\\" if escaped else ""))
    return [part for part in parts if part.strip()]


def toleration(text: str, where: str) -> dict[str, str]:
    """`key=value:NoSchedule`, `key:NoExecute` (any value), `key` (any value, any effect) as Kubernetes has it.

    Raises:
        WrongUse: no key, or an unknown effect.
    """
    rest, colon, effect = text.strip().rpartition(":")
    if not colon:
        rest, effect = effect, ""
    key, equals, value = rest.partition("=")
    if not key:
        raise WrongUse(f"{shown(where, text)}: there is no key.", f"Write {where} key=value:NoSchedule")
    known = {name.lower(): name for name in EFFECTS}
    if colon and effect.lower() not in known:
        raise WrongUse(
            f"{shown(where, text)}: {effect!r} is no effect of a taint.",
            suggestion(effect, EFFECTS) or f"There are {', '.join(EFFECTS)}.",
        )
    found = {"key": key, "operator": "Equal", "value": value} if equals else {"key": key, "operator": "Exists"}
    if colon:
        found["effect"] = known[effect.lower()]
    return found


def autoscaler(text: str, where: str) -> str:
    """`v1`, `v2`, `default` (Ray decides which), `off`.

    Raises:
        WrongUse: none of these.
    """
    found = AUTOSCALERS.get(text.strip().lower())
    if found is None:
        raise WrongUse(
            f"{shown(where, text)}: an autoscaler is v1, v2, true (Ray decides which) or false.",
            f"Write {shown(where, 'v2')}",
        )
    return found


def seconds(text: str, where: str) -> int:
    """`90`, `90s`, `5m` as whole seconds.

    Raises:
        WrongUse: no length of time, or not a whole number of seconds.
    """
    found = length(text)
    if found is None or not found.is_integer() or found > 2**31 - 1:
        raise WrongUse(
            f"{shown(where, text)}: this is no length of time in whole seconds.",
            f"Write {shown(where, '90s')} or 5m, 1h30m.",
        )
    return int(found)
