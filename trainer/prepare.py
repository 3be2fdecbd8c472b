"""The stage `prepare`: event and item files -> sessions, vocabulary, catalogue, data report."""

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ibis.expr.types import Table

from artifacts.errors import DataError
from artifacts.folders import staged_folder
from artifacts.manifest import fingerprint, seal
from artifacts.prepared import HELDOUT_NAME, TRAIN_NAME, Prepared
from artifacts.progress import Progress
from artifacts.versions import VersionedRoot
from trainer.catalog_files import write_items
from trainer.catalog_rows import check_items, no_items, vocabulary_rows
from trainer.config import PrepareConfig, TimeSplit
from trainer.data_report import DataReport, RowCounts
from trainer.engine import Engine
from trainer.engine_choice import open_engine
from trainer.events import check_events
from trainer.leakage import check_leakage
from trainer.outliers import outlying_sessions, without_sessions
from trainer.rejected_rows import keep_rejected
from trainer.session_counts import count_sessions
from trainer.sessions import KEPT, sessions_of, time_of_cut, without_rare
from trainer.sources import Source

PIPELINE = 2
"""Raised whenever the same files and settings give another result than before."""

REJECTED_FOLDER = "rejected"
SESSION_COLUMNS = ("session_id", "user_id", "started_at", "items")


def prepare(config: PrepareConfig, root: VersionedRoot, *, progress: Progress) -> Prepared:
    """Turn the files of `config` into a prepared data set and put it in use.

    A version is named by the settings and the content of the files, so that an unchanged run ends
    at once.

    Raises:
        ConfigError: a file or column of the settings does not exist.
        DataError: nothing is left to learn from, or the split leaks.

    Cost: reads the input twice (fingerprint, parse); memory as `memory_limit` says, beside ids and
    attributes of all items.
    """
    progress.start("fingerprint the input")
    sources = _sources(config)
    inputs: dict[str, str] = {}
    for source in sources.values():
        inputs |= source.fingerprints()
    # Memory, threads, what runs where, and the folder that files lie in do not change the result.
    settings = config.model_dump(
        mode="json",
        exclude={
            "memory_limit": True,
            "threads": True,
            "spark": True,
            "events": {"path"},
            "items": {"path"},
        },
    )
    id = fingerprint({"pipeline": PIPELINE, "config": settings, "inputs": inputs})
    if root.has(id):
        progress.finish(f"version {id} is up to date")
    else:
        progress.finish(f"version {id}")
        with staged_folder(root.path(id)) as folder:
            with open_engine(config, root.root) as engine:
                report = _Preparation(config, engine, folder, progress).run(sources)
                packages = engine.packages
            seal(
                folder,
                kind="prepared",
                id=id,
                config=config.model_dump(mode="json"),
                inputs=inputs,
                versions={name: version(name) for name in packages},
                details=_details(report),
            )
    root.use(id)
    return Prepared.open(root.path(id))


def _sources(config: PrepareConfig) -> dict[str, Source]:
    sources = {"events": Source.of("events", config.events)}
    if config.items is not None:
        sources["items"] = Source.of("items", config.items)
    return sources


def _details(report: DataReport) -> dict[str, object]:
    return {
        "order": report.order,
        "split": report.split,
        "items": report.items.all,
        "train_sessions": report.train.kept,
        "heldout_sessions": report.heldout.kept,
    }


@dataclass(frozen=True, slots=True)
class _Preparation:
    """One run: its steps share these and hand tables to each other."""

    config: PrepareConfig
    engine: Engine
    folder: Path
    progress: Progress

    def run(self, sources: dict[str, Source]) -> DataReport:
        (self.folder / REJECTED_FOLDER).mkdir()
        lines, event_counts = self._lines(sources["events"])
        items, catalog_counts = self._items(sources.get("items"), lines)
        self.progress.start("build sessions")
        vocabulary = self.engine.store("vocabulary", vocabulary_rows(items, lines))
        lines, outliers = self._without_outliers(lines)
        sessions = self._sessions(lines, vocabulary)
        train, heldout = count_sessions(self.engine, sessions)
        if not train.kept:
            raise DataError(
                f"prepare: no training session is left; dropped: {train.dropped | outliers}"
            )
        self.progress.finish(f"{train.kept:,} to learn from, {heldout.kept:,} held out")
        self.progress.start("write sessions and catalogue")
        self._write_sessions(sessions)
        item_counts = write_items(
            self.engine, self.folder, vocabulary=vocabulary, items=items, sessions=sessions
        )
        report = DataReport(
            events=event_counts,
            catalog=catalog_counts,
            items=item_counts,
            order=self.config.order,
            split=self.config.split.kind,
            outliers=outliers,
            train=train,
            heldout=heldout,
            shared_sessions=self._count(sessions.filter(sessions.shared)),
        )
        self._write_report(report)
        self.progress.finish(f"{item_counts.all:,} items")
        return report

    def _lines(self, source: Source) -> tuple[Table, RowCounts]:
        self.progress.start("read events")
        reading = self.engine.read(source)
        checked = check_events(reading.rows, self.config)
        lines = self.engine.store("lines", checked.lines)
        taken = self._count(lines)
        path = self.folder / REJECTED_FOLDER / "events.parquet"
        counts = keep_rejected(self.engine, checked.raw, reading, path, taken=taken)
        if not counts.taken:
            raise DataError(
                f"prepare.events: no event to learn from: {counts.read:,} rows read, rejected: "
                f"{counts.rejected}"
            )
        if self._count(lines.select("item_id").distinct()) < 2:
            raise DataError(
                "prepare.events: expected at least two different items, got one in "
                f"{counts.taken:,} events; is `item_id` mapped to the right column?"
            )
        self.progress.finish(f"{counts.taken:,} of {counts.read:,} rows")
        return lines, counts

    def _items(self, source: Source | None, lines: Table) -> tuple[Table, RowCounts | None]:
        if source is None or self.config.items is None:
            return self.engine.store("items", no_items(lines)), None
        self.progress.start("read items")
        reading = self.engine.read(source)
        numbered = self.engine.number("numbered_items", reading.rows)
        checked = check_items(numbered, self.config.items)
        items = self.engine.store("items", checked.items)
        taken = self._count(items)
        path = self.folder / REJECTED_FOLDER / "items.parquet"
        counts = keep_rejected(self.engine, checked.raw, reading, path, taken=taken)
        self.progress.finish(f"{counts.taken:,} of {counts.read:,} rows")
        return items, counts

    def _without_outliers(self, lines: Table) -> tuple[Table, dict[str, int]]:
        found = outlying_sessions(lines, self.config.outliers)
        if found is None:
            return lines, {}
        dropped = self.engine.store("outliers", found)
        counts = self.engine.fetch(dropped.group_by("reason").agg(sessions=dropped.count()))
        by_reason = {row["reason"]: row["sessions"] for row in counts.to_pylist()}
        if not by_reason:
            return lines, {}
        rest = self.engine.store("plausible_lines", without_sessions(lines, dropped))
        return rest, dict(sorted(by_reason.items()))

    def _sessions(self, lines: Table, vocabulary: Table) -> Table:
        cut = self._cut(lines)
        if self.config.sessions.min_item_sessions > 1:
            lines = self.engine.store("common_lines", without_rare(lines, self.config, cut))
        return self.engine.store("sessions", sessions_of(lines, vocabulary, self.config, cut))

    def _cut(self, lines: Table) -> datetime | None:
        split = self.config.split
        if not isinstance(split, TimeSplit):
            return None
        if split.fraction is not None:
            cut: datetime = self.engine.fetch(time_of_cut(lines, split.fraction))[0][0].as_py()
            return cut
        assert split.cut is not None, "bug: a time split has a fraction or a cut"
        return split.cut.astimezone(UTC).replace(tzinfo=None) if split.cut.tzinfo else split.cut

    def _write_sessions(self, sessions: Table) -> None:
        kept = sessions.filter(sessions.verdict == KEPT).order_by("started_at", "session_id")
        columns = [*SESSION_COLUMNS, *(["weights"] if self.config.weights else [])]
        train = self.folder / TRAIN_NAME
        heldout = self.folder / HELDOUT_NAME
        self.engine.write(kept.filter(~kept.heldout).select(*columns), train)
        self.engine.write(kept.filter(kept.heldout).select(*columns), heldout)
        check_leakage(train, heldout, by_time=isinstance(self.config.split, TimeSplit))

    def _write_report(self, report: DataReport) -> None:
        (self.folder / "report.json").write_text(report.model_dump_json(indent=2), "utf-8")
        (self.folder / "report.md").write_text(report.to_markdown(), "utf-8")

    def _count(self, rows: Table) -> int:
        return int(self.engine.fetch(rows.agg(rows=rows.count()))[0][0].as_py())
