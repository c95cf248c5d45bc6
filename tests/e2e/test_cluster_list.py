"""`cluster list` and `cluster get`: rows with the truth, and every output format as kubectl prints it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.e2e.harness.objects import group, suspended, untouched
from tests.e2e.harness.oracle import kubectl_says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.harness.front import Front
    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray
    from tests.e2e.plugin import Suite

Object = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def three(suite: Suite) -> Iterator[tuple[str, str, str]]:
    """Three clusters without pods, of two teams."""
    names = ("list-a", "list-b", "list-c")
    for name, team, replicas in zip(names, ("red", "red", "blue"), (1, 2, 3), strict=True):
        suite.kubectl.create(suspended(name, group("g", replicas), metadata={"labels": {"team": team}}))
    for name in names:
        suite.kubectl("wait", f"raycluster/{name}", "--for=jsonpath={.status.state}=suspended", "--timeout=60s")
    yield names
    suite.kubectl("delete", "raycluster", *names, "--wait=false")


def cell(said: list[list[str]], name: str, title: str) -> str:
    """One cell of a table: the row by the cluster's name, the column by its title."""
    titles = said[0]
    (row,) = (row for row in said[1:] if name in row)
    return row[titles.index(title)]


def test_lists_all(ray: Ray, kubectl: Kubectl) -> None:
    """Every cluster of the namespace has a row, and no other has."""
    said = ray("cluster list")
    assert said.rows[0][0] == "NAME"
    assert {row[0] for row in said.rows[1:]} == kubectl.names("raycluster")


def test_get_is_list_without_a_name(ray: Ray, three: tuple[str, str, str]) -> None:
    """`cluster get` without a name lists all; with one it shows that row."""
    assert [row[0] for row in ray("cluster get").rows] == [row[0] for row in ray("cluster list").rows]
    assert [row[0] for row in ray(f"cluster get {three[1]}").rows] == ["NAME", three[1]]


def test_a_ready_cluster(ray: Ray, ready_cluster: str) -> None:
    """Status ready, workers ready/desired, the sizes of head and workers together, Ray's version."""
    rows = ray(f"cluster get {ready_cluster}").rows
    assert cell(rows, ready_cluster, "STATUS").lower() == "ready"
    assert cell(rows, ready_cluster, "WORKERS") == "1/1"
    assert cell(rows, ready_cluster, "CPUS") == "400m"
    assert "2.52.0" in rows[1]


def test_age_as_kubectl_prints_it(ray: Ray, suite: Suite, three: tuple[str, str, str]) -> None:
    """The age is one that kubectl prints just before or just after."""
    line = f"get raycluster {three[0]} --no-headers -o custom-columns=A:.metadata.creationTimestamp"
    assert kubectl_says(line, suite.kubectl.env, suite.folder).strip()

    def age() -> str:
        return suite.kubectl("get", "raycluster", three[0]).splitlines()[1].split()[-1]

    before = age()
    ours = cell(ray(f"cluster get {three[0]}").rows, three[0], "AGE")
    assert ours in {before, age()}


def test_suspended_is_said(ray: Ray, three: tuple[str, str, str]) -> None:
    """A suspended cluster is neither ready nor starting."""
    assert cell(ray("cluster list").rows, three[0], "STATUS").lower() == "suspended"


def test_a_sticky_ready_is_not_believed(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """`state: ready` with not one pod is not ready: the operator never takes that word back."""
    name = fresh("sticky")
    kubectl.create(untouched(name, group("g", 2)))
    kubectl.set_status("raycluster", name, {"state": "ready", "desiredWorkerReplicas": 2, "readyWorkerReplicas": 2})
    rows = ray("cluster list").rows
    assert cell(rows, name, "WORKERS") == "0/2"
    assert cell(rows, name, "STATUS").lower() != "ready"


def test_desired_is_computed_from_the_spec(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Workers desired are clamped to the group's limits and counted in hosts; suspended groups count for nothing."""
    name = fresh("desired")
    groups = (group("a", 9, minimum=0, maximum=3), group("b", 2, numOfHosts=2), group("c", 5, suspend=True))
    kubectl.create(untouched(name, *groups))
    assert cell(ray("cluster list").rows, name, "WORKERS") == "0/7"


def test_gpus_and_memory(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """The sum over head and desired workers."""
    name = fresh("sizes")
    kubectl.create(untouched(name, group("a", 3)))
    rows = ray("cluster list").rows
    assert cell(rows, name, "GPUS") == "3"
    assert cell(rows, name, "CPUS") == "4"
    assert cell(rows, name, "MEMORY") == "8Gi"


def test_selector(ray: Ray, three: tuple[str, str, str]) -> None:
    """-l keeps those with the label; -l and a field selector go together."""
    assert [row[0] for row in ray("cluster list -l team=red").rows[1:]] == [three[0], three[1]]
    assert [row[0] for row in ray("cluster list --selector=team=blue --no-headers").rows] == [three[2]]
    said = ray(f"cluster list -l team=red --field-selector=metadata.name={three[1]} --no-headers")
    assert [row[0] for row in said.rows] == [three[1]]


def test_nothing_found(ray: Ray) -> None:
    """An empty answer is exit 0, nothing on stdout, and a word on stderr."""
    said = ray("cluster list -l team=nobody")
    assert said.out == ""
    assert said.err.strip()


def test_bad_selector(ray: Ray) -> None:
    """The server's words about a selector that cannot be read arrive."""
    said = ray.outcome("cluster list -l 'a in (b'")
    assert said.code in {1, 2}
    assert "unable to parse" in said.err


def test_show_labels(ray: Ray, three: tuple[str, str, str]) -> None:
    """A column with the labels."""
    rows = ray("cluster list --show-labels").rows
    assert rows[0][-1] == "LABELS"
    assert "team=blue" in cell(rows, three[2], "LABELS")


def test_wide(ray: Ray) -> None:
    """-o wide has all columns of the table, and more."""
    table, wide = ray("cluster list").rows[0], ray("cluster list -o wide").rows[0]
    assert set(table) < set(wide)


def test_sort_by(ray: Ray, three: tuple[str, str, str]) -> None:
    """--sort-by takes a path into the object, with or without braces, as kubectl does."""
    for path in (".spec.workerGroupSpecs[0].replicas", "{.spec.workerGroupSpecs[0].replicas}"):
        said = ray(f"cluster list -l team --sort-by='{path}' --no-headers")
        assert [row[0] for row in said.rows] == list(three)


@pytest.mark.parametrize("command", ["cluster list", "cluster get"])
def test_json_is_a_list_of_the_objects(ray: Ray, suite: Suite, command: str) -> None:
    """-o json is what kubectl prints: a List with the same objects."""
    ours = json.loads(ray(f"{command} -l team -o json").out)
    theirs = json.loads(kubectl_says("get rayclusters -l team -o json", suite.kubectl.env, suite.folder))
    assert ours["kind"] == theirs["kind"] == "List"
    assert ours["items"] == theirs["items"]


def test_json_of_one_is_the_object(ray: Ray, three: tuple[str, str, str], kubectl: Kubectl) -> None:
    """With a name it is the object itself."""
    assert json.loads(ray(f"cluster get {three[0]} -o json").out) == kubectl.get("raycluster", three[0])
    assert yaml.safe_load(ray(f"cluster get {three[0]} -o yaml").out)["metadata"]["name"] == three[0]


@pytest.mark.parametrize(
    "format_",
    [
        "name",
        "jsonpath='{.items[*].metadata.name}'",
        'jsonpath=\'{range .items[*]}{.metadata.name}{"\\t"}{.spec.suspend}{"\\n"}{end}\'',
        "jsonpath='{.items[?(@.metadata.labels.team==\"blue\")].metadata.name}'",
        "custom-columns=NAME:.metadata.name,TEAM:.metadata.labels.team,NONE:.spec.nosuch",
        "yaml",
        "json",
    ],
)
def test_formats_equal_kubectls(ray: Ray, suite: Suite, format_: str) -> None:
    """To the letter what kubectl prints, so that recipes keep working; JSON and YAML as the same document."""
    ours = ray(f"cluster list -l team -o {format_}").out
    theirs = kubectl_says(f"get rayclusters -l team -o {format_}", suite.kubectl.env, suite.folder)
    if format_ in {"json", "yaml"}:
        assert yaml.safe_load(ours) == yaml.safe_load(theirs)
    else:
        assert ours == theirs


def test_managed_fields_are_left_out(ray: Ray, three: tuple[str, str, str]) -> None:
    """As kubectl: only on demand."""
    assert "managedFields" not in ray(f"cluster get {three[0]} -o yaml").out
    assert "managedFields" in ray(f"cluster get {three[0]} -o yaml --show-managed-fields").out


def test_unknown_format(ray: Ray) -> None:
    """The formats there are get named."""
    assert "custom-columns" in ray("cluster list -o xml", code=2).err


def test_all_namespaces(ray: Ray, three: tuple[str, str, str], namespace: str) -> None:
    """-A shows the namespace first, and finds ours."""
    rows = ray("cluster list -A").rows
    assert rows[0][:2] == ["NAMESPACE", "NAME"]
    assert {tuple(row[:2]) for row in rows} >= {(namespace, name) for name in three}


def test_namespace_flag_anywhere(ray: Ray, three: tuple[str, str, str], namespace: str) -> None:
    """Connection flags stand anywhere after `ray`."""
    for line in (
        f"-n {namespace} cluster list",
        f"cluster -n {namespace} list",
        f"cluster list --namespace={namespace}",
    ):
        assert three[0] in ray(line).out


def test_unknown_name_suggests_the_near_one(ray: Ray) -> None:
    """Exit code 5, the name, and what may have been meant."""
    said = ray("cluster get lst-a", code=5)
    assert "lst-a" in said.err
    assert "Did you mean" in said.err
    assert "list-a" in said.err
    assert said.out == ""


def test_requests_do_not_grow_with_clusters(front: Front, ray_by_front: Ray) -> None:
    """At most two LISTs, whatever the number of clusters."""
    ray_by_front("cluster list")
    assert len(front.requests) <= 2, front.requests


def test_watch(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """-w goes on with a row at each change, and Ctrl-C ends it."""
    name, other = fresh("watch"), fresh("watch")
    kubectl.create(untouched(name, group("g", 2)))
    with ray.live("cluster list -w") as running:
        running.see(name, within=15)
        kubectl.create(untouched(other, group("g", 4)))
        running.see(other, within=15)
        running.see("0/4", within=15)
        running.interrupt()
        assert running.ended(within=2).code == -2


def test_watch_one(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """`cluster get NAME -w` shows only that cluster."""
    name, other = fresh("watch"), fresh("watch")
    kubectl.create(untouched(name))
    with ray.live(f"cluster get {name} -w") as running:
        running.see(name, within=15)
        kubectl.create(untouched(other))
        kubectl("patch", "raycluster", name, "--type=json", "-p", REPLICAS_7)
        running.see("0/7", within=15)
        assert other not in running.out
        running.interrupt()
        running.ended(within=2)


REPLICAS_7 = '[{"op": "replace", "path": "/spec/workerGroupSpecs/0/replicas", "value": 7}]'
