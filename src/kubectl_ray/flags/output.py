"""How an answer is to look: `-o` and its companions for reading and for writing commands, and `--yes`."""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.flags.names import offers

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

_PLAIN = ("table", "wide", "json", "yaml", "name")
_WITH_EXPRESSION = ("jsonpath", "custom-columns")
READING_FORMATS = ("wide", "json", "yaml", "name", "jsonpath=", "custom-columns=")
WRITING_FORMATS = ("json", "yaml", "name")
DRY_RUNS = ("none", "client", "server")
TRIED = {"none": "", "client": " (dry run)", "server": " (server dry run)"}
"""What stands behind a line of the answer, by `--dry-run`."""


class Output:
    """A value of `-o`: `format` is table, wide, json, yaml, name, jsonpath or custom-columns.

    `expression` is what followed `jsonpath=` or `custom-columns=`.
    """

    __slots__ = ("expression", "format")

    def __init__(self, format: str = "table", expression: str = "") -> None:  # noqa: A002 -- kubectl's word
        self.format = format
        self.expression = expression

    @property
    def is_table(self) -> bool:
        """Rows are wanted, not Kubernetes objects."""
        return self.format in {"table", "wide"}

    @property
    def wide(self) -> bool:
        """The columns marked wide are wanted too."""
        return self.format == "wide"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Output) and (self.format, self.expression) == (other.format, other.expression)

    def __hash__(self) -> int:
        return hash((self.format, self.expression))

    def __repr__(self) -> str:
        return f"Output({self.format!r}, {self.expression!r})" if self.expression else f"Output({self.format!r})"


def output(text: str) -> Output:
    """Read a value of `-o` as kubectl does: `jsonpath='{.items[*].metadata.name}'` arrives without its quotes.

    Raises:
        argparse.ArgumentTypeError: an unknown format, or an expression that is missing or out of place.
        WrongUse: an expression that cannot be read.
    """
    import argparse

    format_, equals, expression = text.partition("=")
    if format_ in _PLAIN and not equals:
        return Output(format_)
    if format_ in _WITH_EXPRESSION:
        if not expression:
            raise argparse.ArgumentTypeError(f"{format_} needs an expression: -o {_example(format_)}")
        _check(format_, expression)
        return Output(format_, expression)
    known = ", ".join((*_PLAIN, *(f"{name}=…" for name in _WITH_EXPRESSION)))
    raise argparse.ArgumentTypeError(f"{text!r} is not an output format; there are {known}")


def _check(format_: str, expression: str) -> None:
    """Refuse an expression that cannot be read before anything is asked."""
    if format_ == "jsonpath":
        from kubectl_ray.views.jsonpath import Template

        Template(expression)
    else:
        from kubectl_ray.views.custom_columns import columns

        columns(expression)


def sort_path(text: str) -> str:
    """The path of `--sort-by`, found readable.

    Raises:
        argparse.ArgumentTypeError: it is not.
    """
    if text:
        import argparse

        from kubectl_ray.views.jsonpath import Path

        try:
            Path(text)
        except WrongUse as error:
            raise argparse.ArgumentTypeError(f"{error.message}; a path looks like .metadata.name") from error
    return text


def dry_run(text: str) -> str:
    """Read `--dry-run`: none, client, server; true and false as the Go plugin's scripts have them.

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    import argparse

    meant = {"true": "client", "false": "none"}.get(text, text)
    if meant not in DRY_RUNS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(DRY_RUNS)}")
    return meant


def _example(format_: str) -> str:
    if format_ == "jsonpath":
        return "jsonpath='{.items[*].metadata.name}'"
    return "custom-columns=NAME:.metadata.name"


def add_reading(
    parser: argparse.ArgumentParser, *, watch: bool = True, selectors: bool = True, all_namespaces: bool = True
) -> None:
    """Add what every reading command has.

    Sets args.output (an Output), .watch, .selector, .field_selector, .no_headers, .sort_by, .show_labels,
    .show_managed_fields and .all_namespaces; those switched off here are absent.
    """
    group = parser.add_argument_group("Output")
    shown = group.add_argument(
        "-o",
        "--output",
        type=output,
        default=Output(),
        metavar="FORMAT",
        help="table, wide, json, yaml, name, jsonpath=EXPRESSION or custom-columns=TITLE:PATH,…",
    )
    offers(shown, READING_FORMATS)
    if all_namespaces:
        group.add_argument("-A", "--all-namespaces", action="store_true", help="look in all namespaces")
    if selectors:
        group.add_argument(
            "-l", "--selector", default="", metavar="LABELS", help="only those with these labels: team=vision,!old"
        )
        group.add_argument(
            "--field-selector", default="", metavar="FIELDS", help="only those with these fields: metadata.name=x"
        )
    if watch:
        group.add_argument("-w", "--watch", action="store_true", help="go on and show every change")
    group.add_argument("--no-headers", action="store_true", help="leave out the line of titles")
    group.add_argument(
        "--sort-by", type=sort_path, default="", metavar="PATH", help="sort by a field of the object: .metadata.name"
    )
    group.add_argument("--show-labels", action="store_true", help="add a column with the labels")
    group.add_argument("--show-managed-fields", action="store_true", help="keep managedFields in json and yaml")


def add_dry_run(parser: argparse._ActionsContainer) -> None:
    """Add `--dry-run` → args.dry_run: none, client (also the bare flag) or server."""
    action = parser.add_argument(
        "--dry-run",
        nargs="?",
        type=dry_run,
        const="client",
        default="none",
        metavar="none|client|server",
        help="client: only show what would be sent. server: let the server check it, and keep nothing",
    )
    offers(action, DRY_RUNS)


def add_writing(parser: argparse.ArgumentParser) -> None:
    """Add `--dry-run` → args.dry_run (none, client or server) and `-o` → args.output (None, json, yaml or name)."""
    group = parser.add_argument_group("Output")
    add_dry_run(group)
    group.add_argument(
        "-o", "--output", choices=WRITING_FORMATS, metavar="FORMAT", help="show the object: json, yaml or name"
    )
    group.add_argument("--show-managed-fields", action="store_true", help="keep managedFields in json and yaml")


def add_yes(parser: argparse.ArgumentParser, *, help: str = "do not ask") -> None:  # noqa: A002 -- argparse's word
    """Add `--yes`, `-y` → args.yes."""
    parser.add_argument("-y", "--yes", action="store_true", help=help)
