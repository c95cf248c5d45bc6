"""argv becomes flags that argparse understands, and words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.cli.argv import Parts, long_form, split, take_apart
from kubectl_ray.cli.parser import Parser
from kubectl_ray.errors import KubectlRayError, WrongUse
from kubectl_ray.flags.connection import add_connection
from kubectl_ray.flags.output import add_reading, add_writing, add_yes
from kubectl_ray.flags.waiting import add_waiting


def parser() -> Parser:
    """A command with every kind of flag."""
    made = Parser()
    made.add_argument("--worker-memory")
    made.add_argument("--worker-replicas", type=int)
    made.add_argument("-w", "--worker-group")
    add_writing(made)
    add_waiting(made)
    add_yes(made)
    add_connection(made)
    return made


def reader() -> Parser:
    """A reading command."""
    made = Parser()
    add_reading(made)
    add_connection(made)
    return made


def apart(*argv: str) -> Parts:
    """Those words, by the flags of `parser`."""
    return take_apart(argv, parser().options)


@pytest.mark.parametrize(
    ("argv", "flags"),
    [
        (["--worker-memory=32GB"], ["--worker-memory=32GB"]),
        (["--worker-memory", "32GB"], ["--worker-memory=32GB"]),
        (["-worker-memory=32GB"], ["--worker-memory=32GB"]),
        (["-worker-memory", "32GB"], ["--worker-memory=32GB"]),
        (["-worker-replicas=10"], ["--worker-replicas=10"]),
        (["-yes"], ["--yes"]),
        (["-y"], ["--yes"]),
        (["-n", "foo"], ["--namespace=foo"]),
        (["-nfoo"], ["--namespace=foo"]),
        (["-n=foo"], ["--namespace=foo"]),
        (["-namespace=foo"], ["--namespace=foo"]),
        (["-o", "json"], ["--output=json"]),
        (["-ojson"], ["--output=json"]),
        (["-o=json"], ["--output=json"]),
        (["-yojson"], ["--yes", "--output=json"]),
        (["-w", "g"], ["--worker-group=g"]),
        (["-v"], ["-v=1"]),
        (["-v=3"], ["-v=3"]),
        (["-v3"], ["-v=3"]),
        (["-v", "6"], ["-v=6"]),
        (["-vy"], ["-v=1", "--yes"]),
        (["--dry-run"], ["--dry-run=client"]),
        (["--dry-run=server"], ["--dry-run=server"]),
        (["--yes=true"], ["--yes"]),
        (["--yes", "--yes=false"], []),
        (["--wait=false"], ["--no-wait"]),
        (["--no-wait=false"], ["--wait"]),
        (["--worker-replicas", "-1"], ["--worker-replicas=-1"]),
        (["--worker-memory="], ["--worker-memory="]),
        (["--worker-memory", ""], ["--worker-memory="]),
        (["--worker-memory", "--yes"], ["--worker-memory=--yes"]),
        (["--worker-memory=a=b"], ["--worker-memory=a=b"]),
    ],
)
def test_flags(argv: list[str], flags: list[str]) -> None:
    """Each way to write a flag that pflag knows comes out as one."""
    assert apart(*argv).flags == flags


def test_words_keep_their_places() -> None:
    """Words are told by their places in argv, wherever flags stand between."""
    assert apart("cluster", "-n", "x", "create", "--yes", "name").words == [(0, "cluster"), (3, "create"), (5, "name")]


def test_a_dash_alone_is_a_word() -> None:
    """`-` is stdin."""
    assert apart("-").words == [(0, "-")]


def test_a_flag_without_value_takes_no_word() -> None:
    """Bare `--dry-run` leaves the next word alone, and so does `-v` before a name."""
    assert [word for _place, word in apart("--dry-run", "server", "-v", "name").words] == ["server", "name"]


@pytest.mark.parametrize("short", ["-A", "-Aw", "-lfoo=bar", "-l=foo=bar", "-w"])
def test_short_flags_of_reading(short: str) -> None:
    """Short flags are not taken for long ones with one dash."""
    assert take_apart([short], reader().options).words == []


def test_label_selector_in_one_word() -> None:
    """What follows the letter is the value, its own = included."""
    assert take_apart(["-Alfoo=bar"], reader().options).flags == ["--all-namespaces", "--selector=foo=bar"]


def test_one_dash_only_where_the_flag_exists() -> None:
    """A long flag with one dash that this command lacks is not guessed."""
    assert long_form("-worker-memory=1", reader().options) == "-worker-memory=1"
    with pytest.raises(WrongUse, match="unknown flag -quantity"):
        apart("-quantity=1")


def test_behind_two_dashes_nothing_is_touched() -> None:
    """What follows the first `--` is the user's own."""
    parts = apart("--yes", "name", "--", "python", "x.py", "-worker-memory=1", "--", "--help")
    assert parts.rest == ["python", "x.py", "-worker-memory=1", "--", "--help"]
    assert parts.words == [(1, "name")]
    assert not parts.help
    assert split(["a"]) == (["a"], None)


def test_help_anywhere() -> None:
    """`--help` is seen wherever it stands, but not where it is a value."""
    assert apart("x", "--help", "y").help
    assert not apart("--worker-memory", "--help").help


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--worker-memry=1"], "unknown flag --worker-memry"),
        (["-x"], "unknown flag -x"),
        (["-yx"], "unknown flag -yx"),
        (["--worker-memory"], "--worker-memory needs a value"),
        (["-n"], "-n needs a value|--namespace needs a value"),
        (["--yes=perhaps"], "--yes is either given or not"),
    ],
)
def test_wrong_flags(argv: list[str], words: str) -> None:
    """A flag that cannot be meant is named."""
    with pytest.raises(WrongUse, match=words):
        apart(*argv)


def test_near_flag() -> None:
    """A mistyped flag's hint is the one that was meant."""
    with pytest.raises(WrongUse) as caught:
        apart("--worker-memry=1")
    assert caught.value.hint == "Did you mean --worker-memory?"


def test_before_the_command_is_known() -> None:
    """Not strict: unknown flags are passed over, and the word behind one is doubtful."""
    parts = take_apart(["--replicas", "3", "cluster", "-n"], reader().options, strict=False, complete=False)
    assert [word for place, word in parts.words if place not in parts.doubtful] == ["cluster"]


TOKENS = st.one_of(
    st.sampled_from(
        [
            "-",
            "--",
            "-n",
            "-o",
            "json",
            "--yes",
            "--yes=",
            "-v",
            "-h",
            "--help",
            "-worker-memory",
            "--dry-run",
            "-=",
            "--=",
        ]
    ),
    st.text(max_size=8),
    st.text(max_size=6).map("-{}".format),
)


@given(st.lists(TOKENS, max_size=8), st.booleans())
def test_any_argv(argv: list[str], strict: bool) -> None:
    """Whatever is typed is taken apart or refused with words."""
    try:
        parts = take_apart(argv, parser().options, strict=strict, complete=strict)
    except KubectlRayError:
        return
    assert all(argv[place] == word for place, word in parts.words)


@pytest.mark.parametrize(
    ("following", "flag", "words"),
    [
        (["v2", "mine"], "--autoscaler=v2", ["mine"]),
        (["V1"], "--autoscaler=V1", []),
        (["mine"], "--autoscaler=default", ["mine"]),
        ([], "--autoscaler=default", []),
    ],
)
def test_autoscaler_as_the_go_plugin_has_it(following: list[str], flag: str, words: list[str]) -> None:
    """`--autoscaler v2` gives the version; any other word behind it is a word of the command."""
    made = Parser()
    made.add_argument("--autoscaler", nargs="?", const="default")
    parts = take_apart(["--autoscaler", *following], made.options)
    assert (parts.flags, [word for _place, word in parts.words]) == ([flag], words)
