"""The one TOML file of a shop: every room's settings, and where its artifacts lie."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from artifacts.errors import ConfigError
from artifacts.versions import VersionedRoot
from cli.rank_config import RankConfig
from indexer.config import IndexConfig
from retrieval.campaign_config import CampaignConfig
from retrieval.config import RetrievalConfig
from server.config import ServerConfig
from trainer.config import EvaluateConfig, PrepareConfig, TrainConfig
from trainer.content_config import MapConfig
from trainer.tune_config import TuneConfig


class ShopConfig(BaseModel):
    """Settings of one shop. Relative paths start at the folder of the file that names them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    work_dir: Path
    """Where prepared data, embeddings and snapshots are kept."""
    prepare: PrepareConfig
    """From event logs to sessions."""
    train: TrainConfig = TrainConfig()
    """From sessions to vectors."""
    evaluate: EvaluateConfig = EvaluateConfig()
    """How held-out sessions are scored."""
    tune: TuneConfig = TuneConfig()
    """How settings of a space are searched."""
    map: MapConfig = MapConfig()
    """How a space is drawn."""
    campaign: CampaignConfig = CampaignConfig()
    """What every user of an e-mail campaign gets."""
    rank: RankConfig = RankConfig()
    """From sessions to what a ranker learns from."""
    index: IndexConfig
    """From vectors to a snapshot."""
    retrieval: RetrievalConfig = RetrievalConfig()
    """Named behaviours that callers choose from."""
    server: ServerConfig = ServerConfig()
    """Where and how answers are served."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The roots below a work folder."""

    root: Path

    @property
    def prepared(self) -> VersionedRoot:
        """Prepared data sets."""
        return VersionedRoot(self.root / "prepared")

    def embedding(self, space: str) -> VersionedRoot:
        """Vectors of one space."""
        return VersionedRoot(self.root / "embeddings" / space)

    def table(self, name: str) -> VersionedRoot:
        """One table of candidates."""
        return VersionedRoot(self.root / "tables" / name)

    @property
    def backdated(self) -> Path:
        """The shop as it was before the sessions that a ranker learns from."""
        return self.root / "backdated"

    @property
    def ranking_table(self) -> VersionedRoot:
        """What a ranker learns from."""
        return VersionedRoot(self.root / "ranking_table")

    @property
    def ranker(self) -> VersionedRoot:
        """Trees that order candidates."""
        return VersionedRoot(self.root / "ranker")

    @property
    def maps(self) -> Path:
        """Maps of spaces."""
        return self.root / "maps"

    @property
    def quality(self) -> Path:
        """Offline evaluation of the embeddings in use."""
        return self.root / "quality.json"

    @property
    def charts(self) -> Path:
        """Pages and pictures of evaluations."""
        return self.root / "charts"

    @property
    def snapshots(self) -> VersionedRoot:
        """Snapshots, published or not."""
        return VersionedRoot(self.root / "snapshots")


def load_shop(path: Path) -> ShopConfig:
    """Read and check a shop file.

    Raises:
        ConfigError: the file is missing, is no TOML, or a key is unknown, missing or of another
            type; the message has a line for each fault, with the path of its key.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: expected a shop file, found nothing there") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML: {error}") from error
    try:
        shop = ShopConfig.model_validate(raw)
    except ValidationError as error:
        faults = [f"  {_key(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        raise ConfigError("\n".join([f"{path}: {len(faults)} fault(s)", *faults])) from error
    return _anchored(shop, path.resolve().parent)


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "(top level)"


def _anchored(shop: ShopConfig, base: Path) -> ShopConfig:
    """Return `shop` with its paths made absolute."""
    events, items = shop.prepare.events, shop.prepare.items
    events = events.model_copy(update={"path": _absolute(events.path, base)})
    if items is not None:
        items = items.model_copy(update={"path": _absolute(items.path, base)})
    image = shop.train.image
    changes = {
        "work_dir": base / shop.work_dir,
        "prepare": shop.prepare.model_copy(update={"events": events, "items": items}),
        "train": shop.train.model_copy(update={"image": image and image.anchored(base)}),
        "server": shop.server.anchored(base),
    }
    return shop.model_copy(update=changes)


def _absolute(paths: tuple[str, ...], base: Path) -> tuple[str, ...]:
    return tuple(str(base / path) for path in paths)
