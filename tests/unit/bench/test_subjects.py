"""What is compared with what."""

from __future__ import annotations

from bench.subjects import OURS, Programs, large_task, small_tasks

PROGRAMS = Programs("/k/kubectl", "/v/kubectl-ray", "/v/kubectl_complete-ray")


def test_kubectl_comes_first_in_every_task() -> None:
    """It is what the others are compared with."""
    tasks = [*small_tasks(PROGRAMS, "ns", ["a"]), large_task(PROGRAMS, 3000)]
    assert {task.subjects[0].argv[0] for task in tasks} == {"/k/kubectl"}
    assert all(task.subjects[0].argv[1] != "ray" for task in tasks)


def test_every_task_has_the_plugin_itself_and_as_kubectl_starts_it() -> None:
    """Both are reported."""
    for task in [*small_tasks(PROGRAMS, "ns", ["a"]), large_task(PROGRAMS, 3000)]:
        assert {subject.name for subject in task.subjects[1:]} == {OURS, "kubectl ray"}


def test_a_further_plugin_joins_every_task_with_its_own_words() -> None:
    """`get cluster` is what the Go plugin understands."""
    programs = Programs(PROGRAMS.kubectl, PROGRAMS.plugin, PROGRAMS.completer, "/o/kubectl-ray")
    lists = small_tasks(programs, "ns", ["a"])[0]
    assert lists.subjects[-1].argv == ("/o/kubectl-ray", "get", "cluster", "-n", "ns")


def test_a_list_has_to_show_every_cluster() -> None:
    """Who prints less has not done the task, however quick it was."""
    assert small_tasks(PROGRAMS, "ns", ["a", "b"])[0].shows == ("a", "b")
    assert large_task(PROGRAMS, 3000).least_rows == 3000
