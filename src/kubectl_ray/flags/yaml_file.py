"""A YAML file that a user wrote for us, parsed: what is wrong with it is told with its line.

Its scalars are kubectl's. Stricter than `kube.documents`, which reads kubeconfigs as leniently as kubectl does: a key
said twice is refused here.
"""

from __future__ import annotations

from kubectl_ray.errors import WrongUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# libyaml composes nodes by recursion in C: far too deep a nesting ends the process instead of raising.
_DEEPEST = 100


def parsed(text: str) -> object:
    """The one document in the text; None when it is empty.

    Raises:
        WrongUse: it is no YAML, holds several documents, says a key twice, or is nested beyond reason.
    """
    import yaml

    from kubectl_ray.kube.full_yaml import KubectlLoader, beyond_the_librarys_depth

    try:
        _not_too_deep(text, yaml)
        _no_key_twice(yaml.compose(text, Loader=KubectlLoader), yaml, set())
        return yaml.load(text, Loader=KubectlLoader)  # noqa: S506 -- a safe loader
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        if mark is not None and beyond_the_librarys_depth(error):
            raise _too_deep(mark.line) from error
        place = f" in line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or getattr(error, "context", None) or "it cannot be read"
        raise WrongUse(
            f"The file is no YAML{place}: {problem}.", "Look at that line, and at what stands above."
        ) from error


def _not_too_deep(text: str, yaml: Any) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise _too_deep(event.start_mark.line)


def _too_deep(line: int) -> WrongUse:
    """`line` counts from 0, as the library's marks do."""
    return WrongUse(f"The file is nested too deeply in line {line + 1}.", "A config has a few levels.")


def _no_key_twice(node: Any, yaml: Any, met: set[int]) -> None:
    """YAML forbids it; the parser silently takes the last one. Each node is met once, whatever aliases say."""
    if id(node) in met:
        return
    met.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    line = key.start_mark.line + 1
                    raise WrongUse(f"The file says {key.value} twice, again in line {line}.", "Say it once.")
                seen.add(key.value)
            _no_key_twice(value, yaml, met)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _no_key_twice(item, yaml, met)
