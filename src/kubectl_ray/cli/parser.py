"""argparse, bent to this house: our errors, our help pages, no abbreviations, and cheap to build."""

from __future__ import annotations

import argparse

from kubectl_ray.cli import argv as command_line
from kubectl_ray.errors import WrongUse
from kubectl_ray.flags.connection import add_connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType
    from typing import Any, NoReturn

    from kubectl_ray.cli.grammar import Match


# argparse asks gettext for translations of its headings; nobody ships any, and the search imports locale: 2 ms.
argparse._ = str  # type: ignore[attr-defined]


class Parser(argparse.ArgumentParser):
    """Parses one command's flags and words into its Args."""

    def __init__(self) -> None:
        super().__init__(prog="kubectl ray", add_help=False, allow_abbrev=False)

    def _get_formatter(self) -> argparse.HelpFormatter:
        # argparse builds a formatter for each argument, only to check it, and the formatter's default imports shutil
        # to ask the terminal's width: half of the way to --help.
        return argparse.HelpFormatter(prog=self.prog, width=80)

    @property
    def options(self) -> Mapping[str, argparse.Action]:
        """Every flag as it is written, with the argument it belongs to."""
        return self._option_string_actions

    @property
    def groups(self) -> Sequence[argparse._ArgumentGroup]:
        """The sections in which the arguments were added: positionals, options, and those with titles."""
        return self._action_groups

    @property
    def positionals(self) -> list[argparse.Action]:
        """The words that the command takes, in order."""
        return [action for action in self._actions if not action.option_strings]

    def error(self, message: str) -> NoReturn:
        """Raise argparse's complaint as a WrongUse.

        Raises:
            WrongUse: always.
        """
        missing = message.removeprefix("the following arguments are required: ")
        if missing != message:
            raise WrongUse(f"missing: {', '.join(name.split('/')[0] for name in missing.split(', '))}")
        surplus = message.removeprefix("unrecognized arguments: ")
        if surplus != message:
            raise WrongUse(f"too many words: {surplus.removeprefix('-- ')}")
        names, colon, why = message.removeprefix("argument ").partition(": ")
        spelled = [name for name in names.split("/") if name.startswith("--")] or [names]
        raise WrongUse(f"{spelled[0]}{colon}{why}")


def build(module: ModuleType, defaults: Mapping[str, Any]) -> Parser:
    """The parser of one command. An alias's defaults are set first, so that `add_arguments` can ask for them."""
    parser = Parser()
    parser.set_defaults(**defaults)
    module.add_arguments(parser)
    add_connection(parser)
    return parser


def globally_known() -> Parser:
    """The flags that may stand before the command's words: the connection's, and the usual ones with a value."""
    parser = Parser()
    for flags in (("-o", "--output"), ("-l", "--selector"), ("-c", "--cluster", "--ray-cluster")):
        parser.add_argument(*flags)
    add_connection(parser)
    return parser


def parse(parser: Parser, module: ModuleType, match: Match, argv: Sequence[str]) -> argparse.Namespace:
    """argv, less the command's words, as the command's Args value.

    What followed the first `--` is in `args.rest`, which is there for commands that take such words only.

    Raises:
        WrongUse: it cannot be read.
    """
    parts = command_line.take_apart(argv, parser.options)
    words = [word for place, word in parts.words if place not in match.places]
    takes_rest = "rest" in getattr(module.Args, "__annotations__", ())
    if parts.rest is not None and not takes_rest:
        words += parts.rest
    args: argparse.Namespace = module.Args()
    if takes_rest:
        args.rest = parts.rest
    return parser.parse_args([*parts.flags, *(["--"] if parts.rest and not takes_rest else []), *words], args)
