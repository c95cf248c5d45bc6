"""Which kubeconfig, which context, which namespace."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tests.contract.oracle.world import Case, Cases, b64

if TYPE_CHECKING:
    from tests.contract.oracle.world import World

CASES = Cases()


def _two_contexts(the: World) -> dict[str, Any]:
    """A kubeconfig with the contexts one and two; two has another user and the namespace team."""
    config = the.config()
    config["users"].append({"name": "two", "user": {"token": "token-of-two"}})
    config["contexts"].append({"name": "two", "context": {"cluster": "one", "user": "two", "namespace": "team"}})
    return config


@CASES.case
def _bearer_token(the: World) -> Case:
    the.write("config", the.config())
    return Case()


@CASES.case
def _yaml_with_comments_and_unknown_fields(the: World) -> Case:
    the.write(
        "config",
        f"""# written by hand
apiVersion: v1
kind: Config
preferences: {{}}
unknown: 2026-01-01
clusters:
- cluster: {{server: "{the.url}/", certificate-authority-data: {b64(the.authority.pem)}, colour: green}}
  name: here
users:
- name: me
  user: &me
    token: abc
contexts:
- name: here
  context: {{cluster: here, user: me, namespace: "2026-01-01"}}
current-context: here
""",
    )
    return Case()


@CASES.case
def _default_file_in_home(the: World) -> Case:
    the.write(".kube/config", the.config())
    return Case(env={"KUBECONFIG": ""})


@CASES.case
def _kubeconfig_flag_wins_over_environment(the: World) -> Case:
    the.write("config", the.config())
    other = the.write("other", the.config(user={"token": "from-the-flag"}))
    return Case(flags={"kubeconfig": other})


@CASES.case
def _kubeconfig_flag_names_no_file(the: World) -> Case:
    the.write("config", the.config())
    return Case(flags={"kubeconfig": "missing"}, fails=True)


@CASES.case
def _first_file_sets_the_current_context(the: World) -> Case:
    first = the.write("first", the.config(name="one"))
    second = the.write("second", the.config(name="two"))
    return Case(env={"KUBECONFIG": os.pathsep.join([first, second])})


@CASES.case
def _missing_and_empty_files_are_passed_over(the: World) -> Case:
    empty = the.write("empty", "")
    remark = the.write("remark", "# nothing yet\n")
    last = the.write("last", the.config())
    return Case(env={"KUBECONFIG": os.pathsep.join([str(the.folder / "missing"), "", empty, remark, last])})


@CASES.case
def _first_file_to_name_an_entry_wins_whole(the: World) -> Case:
    first = the.write("first", {"users": [{"name": "one", "user": {"as": "somebody", "token": "first"}}]})
    second = the.write("second", the.config(user={"token": "second", "as-groups": ["never"]}))
    return Case(env={"KUBECONFIG": os.pathsep.join([first, second])})


@CASES.case
def _context_in_one_file_cluster_and_user_in_others(the: World) -> Case:
    whole = the.config()
    files = [
        the.write(f"part-of-{key}", {key: whole[key]}) for key in ("contexts", "users", "clusters", "current-context")
    ]
    return Case(env={"KUBECONFIG": os.pathsep.join(files)})


@CASES.case
def _first_file_without_current_context_leaves_it_to_the_next(the: World) -> Case:
    first = the.write("first", the.config(name="one", current_context=None))
    second = the.write("second", the.config(name="two"))
    return Case(env={"KUBECONFIG": os.pathsep.join([first, second])})


@CASES.case
def _one_broken_file_among_several(the: World) -> Case:
    broken = the.write("broken", "clusters: [")
    good = the.write("good", the.config())
    return Case(env={"KUBECONFIG": os.pathsep.join([broken, good])}, fails=True)


@CASES.case
def _named_context_with_its_namespace(the: World) -> Case:
    the.write("config", _two_contexts(the))
    return Case(flags={"context": "two"})


@CASES.case
def _namespace_flag_over_context(the: World) -> Case:
    the.write("config", _two_contexts(the))
    return Case(flags={"context": "two", "namespace": "elsewhere"})


@CASES.case
def _unknown_context(the: World) -> Case:
    the.write("config", _two_contexts(the))
    return Case(flags={"context": "three"}, fails=True)


@CASES.case
def _unknown_current_context(the: World) -> Case:
    the.write("config", the.config(current_context="gone"))
    return Case(fails=True)


@CASES.case
def _user_and_cluster_flags_pick_entries(the: World) -> Case:
    config = _two_contexts(the)
    config["clusters"].append({"name": "prefixed", "cluster": the.cluster(server=the.url + "/k8s/clusters/c-1")})
    the.write("config", config)
    return Case(flags={"user": "two", "kube_cluster": "prefixed"})


@CASES.case
def _unknown_user_flag(the: World) -> Case:
    the.write("config", the.config())
    return Case(flags={"user": "nobody"}, fails=True)


@CASES.case
def _two_entries_of_one_name(the: World) -> Case:
    config = the.config()
    config["users"] *= 2
    the.write("config", config)
    return Case(fails=True)


@CASES.case
def _number_where_text_belongs(the: World) -> Case:
    the.write("config", the.config(user={"token": 12345}))
    return Case(fails=True)


@CASES.case
def _not_a_kubeconfig(the: World) -> Case:
    the.write("config", {"apiVersion": "v1", "kind": "Pod"})
    return Case(fails=True)
