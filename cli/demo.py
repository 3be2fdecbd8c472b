"""The demo: every stage on a year of real baskets, then questions to a real server."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from artifacts.errors import ConfigError
from artifacts.folders import write_file
from artifacts.manifest import read_manifest
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from cli.all_stages import run_all
from cli.ask import show_sessions, show_similar, show_users
from cli.child_server import child_server
from cli.complete_journey import write_complete_journey
from cli.progress import ConsoleProgress
from cli.shop import ShopConfig, Workspace, load_shop
from shelfmate.client import Client, Options, Shopper
from trainer.evaluation_report import EvaluationReport
from trainer.ranker import read_report

SHOP_NAME = "complete-journey.toml"
CALLS = 1_000
SHOWN = 5
HOME_PAGE = "home_page"


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency of calls made one after another, in milliseconds."""

    calls: int
    p50_ms: float
    p99_ms: float


def run_demo(folder: Path, *, console: Console, progress_console: Console) -> None:
    """Run the demo in `folder`; what is there from an earlier run is used again.

    Raises:
        ConfigError: the folder holds something else, or the shop file of the demo is missing.
        ShelfmateError: as the stages raise.
    """
    begun = time.monotonic()
    shop_file = _set_up(folder)
    shop = load_shop(shop_file)
    console.rule("prepare, train, evaluate, rank, index, publish", align="left")
    with ConsoleProgress(progress_console) as progress:
        snapshot, _ = run_all(shop, progress, force=False)
    _show_quality(snapshot, console)
    _show_ranker(shop, console)
    console.rule("ask the server", align="left")
    with (
        child_server(shop_file, folder / "server") as address,
        Client(address, timeout_s=5) as client,
    ):
        _ask(client, snapshot, console)
        latency = _latency(client, snapshot)
    console.print(
        f"\n{latency.calls:,} calls, one after another, one product each: "
        f"p50 {latency.p50_ms:.2f} ms, p99 {latency.p99_ms:.2f} ms"
    )
    _show_next(shop_file, shop, snapshot, console)
    console.print(f"the demo took {time.monotonic() - begun:.0f} s; nothing is left running")


def _set_up(folder: Path) -> Path:
    """Write data and shop file unless they are there; return the shop file."""
    folder.mkdir(parents=True, exist_ok=True)
    shop_file = folder / "shop.toml"
    write_file(shop_file, _template().read_bytes())
    if not all((folder / "data" / f"{name}.parquet").exists() for name in ("events", "items")):
        write_complete_journey(folder / "data")
    return shop_file


def _template() -> Path:
    """Find the demo's shop file: beside the package in a checkout, inside it when installed."""
    here = Path(__file__).resolve().parent
    for folder in (here / "configs", here.parent / "configs"):
        if (folder / SHOP_NAME).is_file():
            return folder / SHOP_NAME
    raise ConfigError(f"{here}: expected configs/{SHOP_NAME} there or one level up")


def _show_quality(snapshot: Snapshot, console: Console) -> None:
    quality = {
        name: value for name, value in snapshot.contents.quality.items() if name != "embedding"
    }
    console.rule("quality", align="left")
    console.print(EvaluationReport.model_validate(quality).to_text(), markup=False)


def _show_ranker(shop: ShopConfig, console: Console) -> None:
    root = Workspace(shop.work_dir).ranker
    console.rule("ranker, on baskets that nothing was learnt from", align="left")
    console.print(read_report(root.current(hint="shelfmate rank")).to_text(), markup=False)


def _ask(client: Client, snapshot: Snapshot, console: Console) -> None:
    known = popular_items(snapshot, count=3)
    for relation in Relation:
        options = Options(k=SHOWN, relation=relation.value)
        show_similar(client, known, options, console=console)
    cold = cold_item(snapshot)
    if cold is not None:
        console.print("\nA product that nobody bought, as two pages would show it:")
        for page in ("offer_page", "new_product_page"):
            options = Options(k=SHOWN, serving_config=page)
            show_similar(client, [cold], options, console=console)
    console.print("\nWhat belongs with a basket, and what a shopper may want:")
    options = Options(k=SHOWN, serving_config=HOME_PAGE)
    show_sessions(client, [known], options, console=console)
    if snapshot.users is not None:
        shopper = Shopper(snapshot.users.ids.id(0), exclude_history=True)
        show_users(client, [shopper], options, console=console)


def popular_items(snapshot: Snapshot, *, count: int) -> list[str]:
    """Return the best-selling item that has a title, of each of the best-selling categories."""
    best: dict[int, int] = {}
    for row in snapshot.popularity.overall().tolist():
        if snapshot.catalog.titles[row]:
            best.setdefault(int(snapshot.catalog.category_codes[row]), row)
        if len(best) == count:
            break
    return snapshot.items.ids(list(best.values()))


def cold_item(snapshot: Snapshot) -> str | None:
    """Return an item of a known category that has a title and was in no session, if there is one."""
    catalog = snapshot.catalog
    code = int(catalog.category_codes[int(snapshot.popularity.overall()[0])])
    cold = (np.asarray(catalog.popularity) == 0) & (np.asarray(catalog.category_codes) == code)
    rows = np.flatnonzero(cold)
    return snapshot.items.id(int(rows[0])) if len(rows) else None


def _latency(client: Client, snapshot: Snapshot) -> Latency:
    rows = snapshot.popularity.overall()
    ids = snapshot.items.ids([int(rows[i % len(rows)]) for i in range(CALLS)])
    options = Options(k=10)
    for id in ids[:50]:
        client.similar([id], options)
    return _percentiles([_timed(client, id, options) for id in ids])


def _timed(client: Client, id: str, options: Options) -> float:
    begun = time.perf_counter()
    client.similar([id], options)
    return time.perf_counter() - begun


def _percentiles(seconds: Sequence[float]) -> Latency:
    p50, p99 = np.percentile(seconds, (50, 99)) * 1e3
    return Latency(calls=len(seconds), p50_ms=float(p50), p99_ms=float(p99))


def _show_next(shop_file: Path, shop: ShopConfig, snapshot: Snapshot, console: Console) -> None:
    size = sum(record.size for record in read_manifest(snapshot.path, "snapshot").files.values())
    example = popular_items(snapshot, count=1)[0]
    console.rule("what is there now", align="left")
    console.print(f"snapshot {snapshot.id}, {size / 2**20:,.0f} MiB, in {snapshot.path}")
    console.print("Try next:")
    for command in (
        f"shelfmate serve -c {_short(shop_file)}",
        f"shelfmate similar {example} --address 127.0.0.1:{shop.server.port}",
        f"shelfmate near brand=Private -c {_short(shop_file)}",
        f"bench run --snapshots {_short(snapshot.path.parent)}",
    ):
        console.print(f"  {command}", markup=False)


def _short(path: Path) -> Path:
    """Return `path` relative to the working folder where it lies below it."""
    here = Path.cwd()
    return path.resolve().relative_to(here) if path.resolve().is_relative_to(here) else path
