"""What is taken where the user says nothing: the one table of defaults, for the program, its help and its docs.

Why these:

- Ray 2.52.0: the first with token authentication, and what every supported KubeRay operator runs.
- The image follows the Ray version, since head, workers and clients must run the same. Its Python is the image's own.
- Head memory 8Gi: an idle head takes about 1 GB, its object store may take 30 % of the limit, and drivers of submitted
  jobs run on the head. At 4Gi a driver that holds a gigabyte or two gets the head killed, and all jobs with it.
- Head CPUs 500m: a reservation, not a cap (no CPU limit is sent), and no tasks run there. A head that reserves whole
  CPUs finds no place on a small cluster. Give a head of hundreds of workers more: `--head-cpus`.
- A head beside workers gets `num-cpus: "0"`, as Ray's own documentation advises: tasks run on workers, so that they
  cannot starve or kill the head. A job's driver needs no CPU resource and still runs there.
- Workers: 2 CPUs and 4Gi each, one of them: enough to try.
- With an autoscaler a group is never without an upper limit: 10, or the number asked for if that is more.
"""

from __future__ import annotations

RAY_VERSION = "2.52.0"
IMAGE_REPOSITORY = "rayproject/ray"

HEAD_CPUS = "500m"
HEAD_MEMORY = "8Gi"

GROUP_NAME = "default-worker-group"
WORKER_REPLICAS = 1
WORKER_CPUS = "2"
WORKER_MEMORY = "4Gi"
NUM_OF_HOSTS = 1

AUTOSCALER_MIN_REPLICAS = 0
AUTOSCALER_MAX_REPLICAS = 10

GPU_RESOURCE = "nvidia.com/gpu"


def image_of(ray_version: str) -> str:
    """Ray's own image of this version."""
    return f"{IMAGE_REPOSITORY}:{ray_version}"


TABLE = (
    ("Ray version", "--ray-version", RAY_VERSION),
    ("image", "--image", f"{IMAGE_REPOSITORY}:VERSION"),
    ("Python version", "--image", "the image's own"),
    ("head CPUs", "--head-cpus", f"{HEAD_CPUS} reserved, no limit"),
    ("head memory", "--head-memory", HEAD_MEMORY),
    ("tasks on the head", "--head-ray-start-params", "none beside workers (num-cpus=0)"),
    ("worker group", "", GROUP_NAME),
    ("workers", "--worker-replicas", str(WORKER_REPLICAS)),
    ("CPUs a worker", "--worker-cpus", f"{WORKER_CPUS} reserved, no limit"),
    ("memory a worker", "--worker-memory", WORKER_MEMORY),
    ("hosts a replica", "--num-of-hosts", str(NUM_OF_HOSTS)),
    ("least workers with an autoscaler", "--worker-min-replicas", str(AUTOSCALER_MIN_REPLICAS)),
    (
        "most workers with an autoscaler",
        "--worker-max-replicas",
        f"{AUTOSCALER_MAX_REPLICAS}, or --worker-replicas if more",
    ),
    ("waiting", "--timeout", "30m"),
)
"""(what, its flag, the value), for help and docs."""
