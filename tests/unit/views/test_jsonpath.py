"""JSONPath templates as kubectl has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import WrongUse
from kubectl_ray.views.jsonpath import Path, Template

LIST = {
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        {
            "metadata": {"name": "a", "labels": {"x.y/z": "1"}},
            "n": 1,
            "state": "ready",
            "hosts": ["h1", "h2", "h3", "h4"],
        },
        {"metadata": {"name": "b"}, "n": 2, "state": "it's", "hosts": [], "more": {"deep": [1, 2.5, True, None]}},
    ],
}


def filled(template: str) -> str:
    """The template filled in for LIST."""
    return Template(template).text(LIST)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.kind}", "List"),
        ("kind={.kind}!", "kind=List!"),
        ("{ .kind }", "List"),
        ("{$.kind}{@.kind}", "ListList"),
        ("{.items[*].metadata.name}", "a b"),
        ("{.items[0].metadata.name}", "a"),
        ("{.items[-1].metadata.name}", "b"),
        ("{.items[0].hosts[1:3]}", "h2 h3"),
        ("{.items[0].hosts[:2]}", "h1 h2"),
        ("{.items[0].hosts[-2:]}", "h3 h4"),
        ("{.items[0].hosts[0:4:2]}", "h1 h3"),
        ("{.items[0].hosts[0,3]}", "h1 h4"),
        ("{.items[0].hosts[:]}", "h1 h2 h3 h4"),
        ("{.items[1].hosts[*]}", ""),
        ("{.items[*]['metadata','state'].name}", "a b"),
        ("{.items[*]['n','state']}", "1 2 ready it's"),
        ("{.items[0].metadata.labels.x\\.y/z}", "1"),
        ("{.items[0].metadata.labels['x\\.y/z']}", "1"),
        ('{.items[?(@.state=="ready")].metadata.name}', "a"),
        ("{.items[?(@.state=='ready')].metadata.name}", "a"),
        ("{.items[?(@.state!='ready')].metadata.name}", "b"),
        ("{.items[?(@.n>1)].metadata.name}", "b"),
        ("{.items[?(@.n<=1)].metadata.name}", "a"),
        ("{.items[?(@.more)].metadata.name}", "b"),
        ("{.items[?(@.metadata.labels)].metadata.name}", "a"),
        ("{..name}", "a b"),
        ("{.items[*].nothing}", ""),
        ("{.nothing.at.all}", ""),
        ("{.items[1].more}", '{"deep":[1,2.5,true,null]}'),
        ("{.items[1].more.deep[*]}", "1 2.5 true null"),
        ("{.items[1].more.*}", "[1,2.5,true,null]"),
        ('{range .items[*]}{.metadata.name}{"\\t"}{.state}{"\\n"}{end}', "a\tready\nb\tit's\n"),
        ("{range .items[*]}{range .hosts[*]}{@},{end};{end}.", "h1,h2,h3,h4,;;."),
        ("{range .nothing[*]}x{end}done", "done"),
        ("{'it\\'s'}{1}{true}", "it's1true"),
        ('{"\\u0041\\x42\\103"}', "ABC"),
        ("", ""),
        ("plain }", "plain }"),
    ],
)
def test_templates(template: str, text: str) -> None:
    """Each form of the language."""
    assert filled(template) == text


@pytest.mark.parametrize(
    "template",
    [
        "{.kind",
        "{.items[0}",
        "{.items[x]}",
        "{.items[?(@.n==1]}",
        "{.items[?(@.n==1}",
        "{.items[?(@.n=1)]}",
        "{'open}",
        "{'\\q'}",
        "{foo}",
        "{end}",
        "{#}",
        "{....}",
        "{+}",
        "{1.2.3}",
        "{.items[99999999999999999999:1:x]}",
        "{" + "[?(" * 40,
    ],
)
def test_templates_that_cannot_be_read(template: str) -> None:
    """Wrong use, found before anything is asked."""
    with pytest.raises(WrongUse):
        Template(template)


@pytest.mark.parametrize(
    "template",
    [
        "{.kind[0]}",
        "{.items[9]}",
        "{.items[1:0]}",
        "{.items[0:2:0]}",
        "{.kind[?(@.x)]}",
        "{.items[?(@.n=='1')]}",
        "{.items[?(@.metadata==1)]}",
        "{.items[0].hosts[?(@..x==1)]}{.items[?(@.hosts[*]=='h1')]}",
    ],
)
def test_templates_that_do_not_fit(template: str) -> None:
    """The object is not as the template takes it: wrong use, as in kubectl."""
    with pytest.raises(WrongUse):
        filled(template)


@pytest.mark.parametrize("path", [".metadata.name", "metadata.name", "{.metadata.name}", "{ .metadata.name }"])
def test_paths(path: str) -> None:
    """Braces and the leading point may be left out."""
    assert Path(path).values({"metadata": {"name": "x"}}) == ["x"]


@pytest.mark.parametrize("path", ["", "{}{}", "{.a}{.b}", "a}", "{.a", " "])
def test_no_paths(path: str) -> None:
    """One path is wanted, not a template."""
    with pytest.raises(WrongUse):
        Path(path)


BITS = st.lists(
    st.sampled_from(
        [
            "{",
            "}",
            ".",
            "..",
            "[",
            "]",
            "*",
            "0",
            "-1",
            ":",
            "items",
            "hosts",
            "n",
            "range ",
            "end",
            "@",
            "$",
            "[?(",
            ")]",
            "==",
            "'a'",
            '"',
            "\\",
            " ",
            "<",
            ",",
            "{range .items[*]}",
            "{end}",
            "{.items",
        ]
    ),
    max_size=14,
).map("".join)


@given(st.one_of(BITS, st.text(max_size=20)))
def test_any_template(template: str) -> None:
    """Filled in or refused with words; never anything else."""
    try:
        filled(template)
    except WrongUse:
        return


@given(
    st.text(max_size=20),
    st.one_of(st.none(), st.integers(), st.lists(st.none()), st.dictionaries(st.text(max_size=3), st.integers())),
)
def test_any_path_and_object(path: str, value: object) -> None:
    """The same for a path in any object."""
    try:
        Path(path).values(value)
    except WrongUse:
        return
