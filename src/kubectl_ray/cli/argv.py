"""argv before argparse sees it: flags anywhere, one-dash long flags, and what follows the first `--` left alone.

kubectl's users know pflag's rules, and argparse's differ (it takes `-worker-memory=32GB` for a cluster of short flags,
`--replicas -1` for two flags, `--yes=true` for an error). So argv is taken apart here against the command's own flags,
and argparse gets each flag as `--flag=value`, the words behind. Source of the rules: github.com/spf13/pflag, flag.go.
"""

from __future__ import annotations

from kubectl_ray.errors import WrongUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

_TRUE = {"true", "1", "t", "T", "TRUE", "True"}
_FALSE = {"false", "0", "f", "F", "FALSE", "False"}
HELP = ("-h", "--help")


class Parts:
    """A command line taken apart: `flags` as argparse shall read them, `words` with their places in argv.

    `rest` is what followed the first `--`, None without one. `help` is true where `-h` or `--help` stands. `doubtful`
    are places of words that may be the value of an unknown flag before them.
    """

    __slots__ = ("doubtful", "flags", "help", "rest", "words")

    def __init__(self, rest: list[str] | None) -> None:
        self.flags: list[str] = []
        self.words: list[tuple[int, str]] = []
        self.rest = rest
        self.help = False
        self.doubtful: set[int] = set()


def split(argv: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """What is ours, and what follows the first `--` (None without one)."""
    own = list(argv)
    if "--" not in own:
        return own, None
    place = own.index("--")
    return own[:place], own[place + 1 :]


def take_apart(
    argv: Sequence[str], options: Mapping[str, argparse.Action], *, strict: bool = True, complete: bool = True
) -> Parts:
    """Sort argv into flags and words by the flags in `options`.

    Without `strict` an unknown flag is passed over as one without a value: that is how the words of the command are
    found before its flags are known. Without `complete` a flag whose value is missing at the end is passed over.

    Raises:
        WrongUse: an unknown flag, a flag without its value, a value for a flag that takes none.
    """
    tokens, rest = split(argv)
    parts = Parts(rest)
    place = 0
    while place < len(tokens):
        token = tokens[place]
        place += 1
        if not token.startswith("-") or len(token) == 1:
            parts.words.append((place - 1, token))
        elif token in HELP:
            parts.help = True
        else:
            following = tokens[place] if place < len(tokens) else None
            try:
                place += _flag(token, following, options, parts.flags)
            except _Unknown as unknown:
                if strict:
                    raise _unknown(unknown.name, options) from None
                if "=" not in token:
                    parts.doubtful.add(place)
            except _NoValue as bare:
                if complete:
                    raise WrongUse(f"{bare.name} needs a value: {bare.name}={bare.metavar}") from None
    return parts


class _Unknown(Exception):
    """A flag that this command does not have."""

    def __init__(self, name: str) -> None:
        self.name = name


class _NoValue(Exception):
    """A flag stands last and needs a value."""

    def __init__(self, name: str, action: argparse.Action) -> None:
        self.name = name
        self.metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()


def long_form(token: str, options: Mapping[str, argparse.Action]) -> str:
    """`-worker-memory=32GB` as `--worker-memory=32GB` where that flag exists; anything else unchanged."""
    name = token[1:].partition("=")[0]
    if len(name) > 1 and not token.startswith("--") and f"--{name}" in options:
        return f"-{token}"
    return token


def _flag(token: str, following: str | None, options: Mapping[str, argparse.Action], flags: list[str]) -> int:
    """Add one token's flags to `flags`; how many of the following tokens it took as its value."""
    token = long_form(token, options)
    if not token.startswith("--"):
        return _short(token, following, options, flags)
    name, equals, value = token.partition("=")
    action = options.get(name)
    if action is None:
        raise _Unknown(name)
    if action.nargs == 0:
        _switch(name, value if equals else "true", options, flags)
        return 0
    return _valued(name, action, value if equals else None, following, flags)


def _short(token: str, following: str | None, options: Mapping[str, argparse.Action], flags: list[str]) -> int:
    """A cluster of one-letter flags, the last of which may carry a value: `-A`, `-Aw`, `-ojson`, `-o=json`, `-v3`."""
    letters = token[1:]
    while letters:
        short, letters = f"-{letters[0]}", letters[1:]
        if short == "-h":
            continue
        action = options.get(short)
        if action is None:
            raise _Unknown(token.partition("=")[0] if len(token) > 2 else short)  # noqa: PLR2004 -- a dash and a letter
        name = next((option for option in action.option_strings if option.startswith("--")), short)
        if action.nargs == 0:
            if letters.startswith("="):
                _switch(name, letters[1:], options, flags)
                return 0
            _switch(name, "true", options, flags)
            continue
        if letters.startswith("="):
            return _valued(name, action, letters[1:], following, flags)
        if letters and (action.nargs != "?" or letters[0].isdigit()):
            return _valued(name, action, letters, following, flags)
        taken = _valued(name, action, None, following, flags)
        if taken or not letters:
            return taken
    return 0


def _valued(name: str, action: argparse.Action, value: str | None, following: str | None, flags: list[str]) -> int:
    if value is None and action.nargs == "?":
        # kubectl's `-v 6`: no name of ours is a digit alone.
        if action.dest == "verbosity" and following is not None and len(following) == 1 and following.isdigit():
            flags.append(f"{name}={following}")
            return 1
        # The Go plugin's `--autoscaler v2`, where the value is not optional.
        if action.dest == "autoscaler" and following is not None and following.lower() in {"v1", "v2"}:
            flags.append(f"{name}={following}")
            return 1
        value = str(action.const)
    if value is not None:
        flags.append(f"{name}={value}")
        return 0
    if following is None:
        raise _NoValue(name, action)
    flags.append(f"{name}={following}")
    return 1


def _switch(name: str, value: str, options: Mapping[str, argparse.Action], flags: list[str]) -> None:
    """A flag without a value; `=true` and `=false` are understood as pflag does."""
    if value in _TRUE:
        flags.append(name)
        return
    if value not in _FALSE:
        raise WrongUse(f"{name} is either given or not; {value!r} is no value for it", hint=f"Write {name} alone.")
    opposite = f"--{name[5:]}" if name.startswith("--no-") else f"--no-{name[2:]}"
    flags[:] = [flag for flag in flags if flag != name]
    if opposite in options:
        flags.append(opposite)


def _unknown(name: str, options: Mapping[str, argparse.Action]) -> WrongUse:
    from kubectl_ray.models.near import suggestion

    wanted = name.lstrip("-")
    known = [option[2:] for option in options if option.startswith("--")]
    return WrongUse(f"unknown flag {name}", hint=suggestion(wanted, known, "--{}") if len(wanted) > 1 else "")
