"""Foreign text on a terminal: what it may not do, and how it is folded into a page."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 80


def clean(text: str) -> str:
    r"""One line of text without anything that could move the cursor, colour the screen or turn its direction.

    Line ends and other white space become blanks; what a terminal would obey instead of showing becomes `\x1b`.
    """
    if text.isprintable():
        return text
    shown = []
    for letter in " ".join(text.split()) if any(map(str.isspace, text)) else text:
        if letter.isprintable():
            shown.append(letter)
        else:
            code = ord(letter)
            shown.append(f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")  # noqa: PLR2004 -- Latin-1
    return "".join(shown)


def folded(text: str, indent: str, first: str | None = None, width: int = WIDTH) -> Iterator[str]:
    """Clean text broken at blanks into lines of at most `width`; a longer word stands alone on its line.

    `first` is what the first line begins with, `indent` all others.
    """
    line = indent if first is None else first
    begun = False
    for word in clean(text).split(" "):
        if begun and len(line) + 1 + len(word) > width:
            yield line
            line, begun = indent, False
        line += f" {word}" if begun else word
        begun = True
    yield line.rstrip()


def count(number: int, one: str, many: str = "") -> str:
    """`1 worker`, `2 workers`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
