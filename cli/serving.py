"""Starts the server on the snapshot in service."""

from pathlib import Path

from cli.shop import ShopConfig, Workspace
from server.app import serve


def run_server(shop: ShopConfig, *, port: int | None, port_file: Path | None) -> None:
    """Serve until a signal ends it; a `port` given here overrides the shop file's."""
    config = shop.server if port is None else shop.server.model_copy(update={"port": port})
    serve(config, shop.retrieval, Workspace(shop.work_dir).snapshots, port_file=port_file)
