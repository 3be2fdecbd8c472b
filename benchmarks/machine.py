"""What a result was measured on: processor, threads, versions, commit."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

PACKAGES = (
    "annoy",
    "duckdb",
    "faiss-cpu",
    "gensim",
    "grpcio",
    "implicit",
    "jax",
    "keras",
    "lightgbm",
    "milvus-lite",
    "numba",
    "numpy",
    "pillow",
    "protobuf",
    "pymilvus",
    "pyspark",
    "scipy",
    "shelfmate",
)
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


class Machine(BaseModel):
    """The circumstances of a measurement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str
    versions: dict[str, str]
    threads: dict[str, str]
    """Thread settings of the environment; a variable that is not set is left out."""
    commit: str
    """Commit of the code, with `+changes` where the tree differed from it."""


def describe_machine() -> Machine:
    """Read the circumstances of this process."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Machine(
        cpu=_cpu_name(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(memory, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        versions={name: found for name in PACKAGES if (found := _version(name))},
        threads={name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ},
        commit=_commit(),
    )


def _cpu_name() -> str:
    """Name the processor; family and model are added where the name alone is generic."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    name = facts.get("model name", platform.machine())
    return f"{name} (family {facts.get('cpu family', '?')}, model {facts.get('model', '?')})"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    root = Path(__file__).resolve().parent.parent

    def git(*words: str) -> str:
        command = ["git", "-C", str(root), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
