"""The example of the page on config files is a file that works."""

from __future__ import annotations

from pathlib import Path

from kubectl_ray.flags.yaml_file import parsed
from kubectl_ray.manifests.checks import check_cluster
from kubectl_ray.manifests.cluster import raycluster
from kubectl_ray.manifests.config_file import shape_of

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "describe-a-cluster-in-a-file.md"


def test_the_example_is_a_cluster_that_the_operator_takes() -> None:
    """What the page shows can be copied."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("```yaml\n")
    text, closed, _ = rest.partition("```")
    manifest = raycluster(shape_of(parsed(text)))
    check_cluster(manifest)
    assert closed
    assert [group["groupName"] for group in manifest["spec"]["workerGroupSpecs"]] == ["cpu-pool", "gpu-pool"]
