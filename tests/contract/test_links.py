"""Links in the project's pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("", "docs/**/", "bench/", "tests/**/")
PAGES = sorted({page for folder in FOLDERS for page in ROOT.glob(f"{folder}*.md")})

_CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(\s*<?([^)>\s]+)>?[^)]*\)|^\[[^\]]+\]:\s*<?(\S+?)>?\s*$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z+.-]*:", re.IGNORECASE)
_HEADING = re.compile(r"^#+\s+(.*?)\s*#*$", re.MULTILINE)


def links(text: str) -> list[str]:
    """The targets of all links outside code."""
    return [inline or named for inline, named in _LINK.findall(_CODE.sub("", text))]


def anchors(text: str) -> set[str]:
    """The names that a page's headings have, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links(page: Path) -> None:
    """Each names a file or folder of this repository, and a heading where it has a `#`."""
    for link in links(page.read_text(encoding="utf-8")):
        if _ELSEWHERE.match(link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_relative_to(ROOT.resolve()), f"{link} leads out of the repository"
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{link}: no such heading"


def test_how_links_are_read() -> None:
    """Inline ones and named ones; not what stands in code."""
    text = "[a](b.md) ![c](<d.png> 'title') `[no](x)`\n[e]: f.md\n```\n[no](y)\n```\n"
    assert links(text) == ["b.md", "d.png", "f.md"]
    assert anchors("# What it does\n## `auth-provider` entries, oidc\n") == {
        "what-it-does",
        "auth-provider-entries-oidc",
    }


def test_every_page_can_be_reached() -> None:
    """From the README, by links alone: what nobody finds nobody reads."""
    seen: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in seen:
            continue
        seen.add(page)
        for link in links(page.read_text(encoding="utf-8")):
            target = (page.parent / link.partition("#")[0]).resolve()
            if not _ELSEWHERE.match(link) and target.suffix == ".md":
                ahead.append(target)
    assert not {str(page.relative_to(ROOT)) for page in PAGES} - {str(page.relative_to(ROOT)) for page in seen}
