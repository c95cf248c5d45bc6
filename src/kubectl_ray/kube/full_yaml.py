"""YAML by the library, with kubectl's scalars: what `plain_yaml` does not take.

kubectl's YAML is version 1.1 for booleans, knows no dates (`2026-10-01` stays text) and no base 60 (`1:20` stays text).
"""

from __future__ import annotations

import re

import yaml

from kubectl_ray.errors import Invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# libyaml's nodes are composed by recursion in C: far too deep a nesting ends the process instead of raising.
_MAX_DEPTH = 500
_SUSPICIOUS = 5000
_REPLACED_TAGS = frozenset({"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})


class KubectlLoader(_Loader):  # type: ignore[misc] # PyYAML's C loader is untyped
    """PyYAML's safe loader with kubectl's scalars."""

    yaml_implicit_resolvers = {  # noqa: RUF012 -- PyYAML's own way to configure a loader class
        first: [(tag, pattern) for tag, pattern in known if tag not in _REPLACED_TAGS]
        for first, known in _Loader.yaml_implicit_resolvers.items()
    }


KubectlLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"^[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$"),
    list("-+0123456789"),
)
KubectlLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"),
    list("-+0123456789."),
)


def load(text: str, name: str) -> Any:
    """Return the first document of `text`; None where there is none. `name` is what errors call it.

    Raises:
        Invalid: it is no YAML, or nested beyond reason.
    """
    try:
        _refuse_depth(text, name)
        return KubectlLoader(text).get_data()
    except yaml.MarkedYAMLError as error:
        if beyond_the_librarys_depth(error):
            raise Invalid(f"{name} is nested too deeply") from None
        # Neither the snippet nor the value: a kubeconfig's lines are secrets.
        place = (
            f" (line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1})"
            if error.problem_mark
            else ""
        )
        raise Invalid(f"{name} is not valid YAML{place}: {error.context or 'it cannot be read'}") from None
    except yaml.YAMLError:
        raise Invalid(f"{name} is not valid YAML: it holds characters that YAML does not allow") from None
    except (ValueError, TypeError, ArithmeticError, AttributeError, LookupError):
        # PyYAML's constructors raise what Python raises: an unhashable key, an integer of 5,000 digits.
        raise Invalid(f"{name} is not valid YAML: it holds a key or number that cannot be read") from None
    except RecursionError:
        raise Invalid(f"{name} is nested too deeply") from None


def beyond_the_librarys_depth(error: Exception) -> bool:
    """Whether libyaml's scanner, ahead of the events that we count, met its own limit (since PyYAML 6.0.4)."""
    return "nesting depth" in (getattr(error, "problem", None) or "")


def _refuse_depth(text: str, name: str) -> None:
    if sum(map(text.count, ("[", "{", "- ", "? ", "-\t", "-\n"))) < _SUSPICIOUS:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise Invalid(f"{name} is nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
