"""Write the Python stubs of `shelfmate.v1` from its .proto files; `make proto` runs this.

The stubs of google/rpc come from googleapis-common-protos and are never generated here.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def generate(out: Path) -> None:
    """Generate messages, services and their type stubs below `out`."""
    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "shelfmate").rglob("*.proto"))
    bin_folder = Path(sys.executable).parent
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        "--proto_path=.",
        f"--plugin=protoc-gen-mypy={bin_folder / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={bin_folder / 'protoc-gen-mypy_grpc'}",
        f"--python_out={out}",
        f"--grpc_python_out={out}",
        f"--mypy_out={out}",
        f"--mypy_grpc_out={out}",
        *sources,
    ]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    generate(ROOT)
