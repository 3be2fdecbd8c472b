"""A server over any snapshots, with any settings.

python -m benchmarks.serving_host settings.json --port-file port
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict

from artifacts.versions import VersionedRoot
from benchmarks.serving_target import Target, running
from cli.shop import ShopConfig, Workspace
from retrieval.config import RetrievalConfig
from server.app import serve
from server.config import ServerConfig
from server.observation.logs import set_up_logs
from server.security.config import AuthConfig


class HostSettings(BaseModel):
    """What a server serves, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    snapshots: Path
    """Folder of snapshots; the current one is served."""
    retrieval: RetrievalConfig = RetrievalConfig()
    """Named behaviours."""
    server: ServerConfig = ServerConfig()
    """Where and how; what `changed` names is replaced."""

    @classmethod
    def of_shop(cls, shop: ShopConfig) -> "HostSettings":
        """Return what `shelfmate serve` would run with."""
        snapshots = Workspace(shop.work_dir).snapshots.root
        return cls(snapshots=snapshots, retrieval=shop.retrieval, server=shop.server)

    def changed(self, *, workers: int, state_dir: Path) -> "HostSettings":
        """Return the settings with free ports, so many workers, and state of their own.

        Calls are in the clear and nobody is asked who calls: generators know neither.
        """
        changes = {
            "port": 0,
            "admin_port": None,
            "workers": workers,
            "state_dir": state_dir,
            "tls": None,
            "auth": AuthConfig(),
        }
        return self.model_copy(update={"server": self.server.model_copy(update=changes)})


@contextmanager
def hosting(settings: HostSettings, *, workers: int = 1) -> Iterator[Target]:
    """Run a server with these settings on free ports of loopback, and stop it at the end.

    Raises:
        NotReadyError: it ended, or was not ready in time.
    """
    with TemporaryDirectory(prefix="shelfmate-bench-") as name:
        folder = Path(name)
        path = folder / "settings.json"
        changed = settings.changed(workers=workers, state_dir=folder / "state")
        path.write_text(changed.model_dump_json(), "utf-8")
        with running("benchmarks.serving_host", [str(path)]) as server:
            yield server


def main(
    settings: Annotated[Path, typer.Argument(help="`HostSettings` as JSON.")],
    port_file: Annotated[Path, typer.Option(help="Gets the ports.")],
) -> None:
    """Serve until SIGTERM."""
    host = HostSettings.model_validate_json(settings.read_bytes())
    set_up_logs(host.server.logs, level=logging.INFO)
    serve(host.server, host.retrieval, VersionedRoot(host.snapshots), port_file=port_file)


if __name__ == "__main__":
    typer.run(main)
