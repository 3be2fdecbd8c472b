"""Every stage of a shop, one after the other."""

from artifacts.progress import Progress
from artifacts.snapshot import Snapshot
from cli.pipeline import run_evaluate, run_index, run_prepare
from cli.rank import run_rank
from cli.shop import ShopConfig
from cli.snapshots import run_publish
from cli.spaces import run_train
from trainer.config import NoSplit


def run_all(shop: ShopConfig, progress: Progress, *, force: bool) -> tuple[Snapshot, str]:
    """Every stage in order, publishing included; `rank` where the shop file has [train.ranker]."""
    run_prepare(shop, progress)
    run_train(shop, (), progress)
    if not isinstance(shop.prepare.split, NoSplit):
        run_evaluate(shop, progress)
    if shop.train.ranker is not None:
        run_rank(shop, progress)
    snapshot = run_index(shop, progress)
    return snapshot, run_publish(shop, snapshot.id, force=force)
