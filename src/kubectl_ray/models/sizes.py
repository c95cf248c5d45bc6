"""What pods ask for: CPU, memory, GPUs and TPUs, summed exactly."""

from __future__ import annotations

from kubectl_ray.models.fields import dig, mapping, mappings
from kubectl_ray.models.quantity import amount, format_count, format_cpu, format_memory

TPU = "google.com/tpu"


class Sizes:
    """An amount of CPU, memory, GPUs and TPUs, each in nano units (of a CPU, a byte, a device)."""

    __slots__ = ("cpu", "gpu", "memory", "tpu")

    def __init__(self, cpu: int = 0, memory: int = 0, gpu: int = 0, tpu: int = 0) -> None:
        self.cpu = cpu
        self.memory = memory
        self.gpu = gpu
        self.tpu = tpu

    def __add__(self, other: Sizes) -> Sizes:
        return Sizes(self.cpu + other.cpu, self.memory + other.memory, self.gpu + other.gpu, self.tpu + other.tpu)

    def __mul__(self, times: int) -> Sizes:
        return Sizes(self.cpu * times, self.memory * times, self.gpu * times, self.tpu * times)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sizes) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Sizes(cpu={self.cpus}, memory={self.memory_text}, gpu={self.gpus}, tpu={self.tpus})"

    def __str__(self) -> str:
        """In words: `8 CPU, 32Gi memory, 2 GPU`; devices only where there are any."""
        devices = ((self.gpus, "GPU"), (self.tpus, "TPU"))
        words = [f"{self.cpus} CPU", f"{self.memory_text} memory"]
        return ", ".join(words + [f"{number} {word}" for number, word in devices if number != "0"])

    def _key(self) -> tuple[int, int, int, int]:
        return (self.cpu, self.memory, self.gpu, self.tpu)

    @property
    def cpus(self) -> str:
        """As a cell of a table: `8`, `500m`."""
        return format_cpu(self.cpu)

    @property
    def memory_text(self) -> str:
        """As a cell of a table: `32Gi`."""
        return format_memory(self.memory)

    @property
    def gpus(self) -> str:
        """As a cell of a table: `2`."""
        return format_count(self.gpu)

    @property
    def tpus(self) -> str:
        """As a cell of a table: `4`."""
        return format_count(self.tpu)


def is_gpu(resource: str) -> bool:
    """A resource of any maker that counts GPUs: `nvidia.com/gpu`, `amd.com/gpu`."""
    return resource.endswith("/gpu")


def of_resources(resources: object) -> Sizes:
    """What a container's `resources` reserve: each request, else the limit that Kubernetes takes for it."""
    asked = mapping(dig(resources, "limits")) | mapping(dig(resources, "requests"))
    sizes = Sizes(amount(asked.get("cpu")), amount(asked.get("memory")), 0, amount(asked.get(TPU)))
    for name, value in asked.items():
        if isinstance(name, str) and is_gpu(name):
            sizes.gpu += amount(value)
    return sizes


def of_pod_spec(spec: object) -> Sizes:
    """What all containers of a pod reserve together; init containers are gone when it runs."""
    total = Sizes()
    for container in mappings(dig(spec, "containers")):
        total += of_resources(container.get("resources"))
    return total
