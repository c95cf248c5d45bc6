"""What the API server writes into jobs, and what it refuses of them.

Source: `pkg/apis/batch/v1/defaults.go`, `pkg/registry/batch/job/strategy.go`, `pkg/apis/batch/validation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.admission import pod_defaults, pod_rules
from kubectl_ray.sandbox.api.metadata import immutable, required, wrong

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.metadata import Cause
    from kubectl_ray.sandbox.api.store import Object

RETRIES = 6
CONTROLLER = "batch.kubernetes.io/controller-uid"
NAME = "batch.kubernetes.io/job-name"


def fill(job: Object) -> None:
    """Defaults. A job without labels has those of its template, once these are complete."""
    spec = job["spec"] = job.get("spec") or {}
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = spec["parallelism"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", RETRIES)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    failed_only = bool(spec.get("podFailurePolicy"))
    spec.setdefault("podReplacementPolicy", "Failed" if failed_only else "TerminatingOrFailed")
    template = spec["template"] = spec.get("template") or {}
    chosen = (template.get("spec") or {}).get("restartPolicy")
    pod_defaults.fill_template(template)
    if not chosen:
        # A job has to say it itself: the default of pods is not one that a job can have.
        template["spec"].pop("restartPolicy", None)
    labels = (template.get("metadata") or {}).get("labels")
    if labels and not job["metadata"].get("labels") and (spec["manualSelector"] or CONTROLLER in labels):
        job["metadata"]["labels"] = dict(labels)


def label(job: Object) -> None:
    """Make the selector that finds the pods of a new job, by its uid."""
    spec, meta = job["spec"], job["metadata"]
    if spec["manualSelector"]:
        return
    uid, name = meta["uid"], meta.get("name", "")
    own = {CONTROLLER: uid, NAME: name, "controller-uid": uid, "job-name": name}
    template = spec["template"]["metadata"] = spec["template"].get("metadata") or {}
    template["labels"] = {**(template.get("labels") or {}), **own}
    if not meta.get("labels"):
        meta["labels"] = dict(template["labels"])
    selector = spec["selector"] = spec.get("selector") or {}
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), CONTROLLER: uid}


def causes(job: Object) -> list[Cause]:
    """What is wrong with a job."""
    spec = job["spec"]
    found = [
        wrong(spec[key], "must be greater than or equal to 0", f"spec.{key}")
        for key in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
        if (spec.get(key) or 0) < 0
    ]
    chosen = (spec.get("selector") or {}).get("matchLabels") or {}
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if not spec["manualSelector"] and chosen and set(chosen) != {CONTROLLER}:
        found.append(wrong(spec["selector"], "`selector` not auto-generated", "spec.selector"))
    if not chosen.items() <= labels.items():
        why = "`selector` does not match template `labels`"
        found.append(wrong(labels, why, "spec.template.metadata.labels"))
    policy = spec["template"]["spec"].get("restartPolicy")
    inside = {**spec["template"]["spec"], "restartPolicy": policy or "Never"}
    found += pod_rules.causes(inside, "spec.template.spec")
    if policy in {None, "", "Always"}:
        found.append(required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'))
    return found


def changed_causes(before: Object, after: Object) -> list[Cause]:
    """Of a job that exists only how much of it runs may change."""
    old, new = before["spec"], after["spec"]
    found = [
        immutable(new.get(key), f"spec.{key}")
        for key in ("completions", "selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex")
        if old.get(key) != new.get(key)
    ]
    if old.get("template") != new.get("template") and not _held(before):
        found.append(immutable(new.get("template"), "spec.template"))
    return found


def _held(job: Object) -> bool:
    """It is suspended and has not started: its template may still change."""
    return bool(job["spec"].get("suspend")) and not (job.get("status") or {}).get("startTime")
