"""What differs between the lists of two snapshots."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from artifacts.relation import Relation

FROZEN = ConfigDict(frozen=True, extra="forbid")


class Mover(BaseModel):
    """An item whose list has changed much."""

    model_config = FROZEN

    id: str
    title: str | None
    overlap: float
    """Rank-biased overlap of its two lists."""
    before: tuple[str, ...]
    """Titles, or ids where there is none, of its best neighbours before."""
    after: tuple[str, ...]
    """The same, after."""


class TableDifference(BaseModel):
    """What differs in the lists of one space and relation."""

    model_config = FROZEN

    space: str
    relation: Relation
    both: int
    """Items that have neighbours in both snapshots; means below are over them."""
    gained: int
    """Items that have neighbours in the later snapshot alone."""
    lost: int
    """Items that had neighbours in the earlier snapshot alone."""
    jaccard: float
    """Mean share of common items among those of either list."""
    overlap: float
    """Mean rank-biased overlap: as Jaccard, but the best places weigh most."""
    unchanged: float
    """Share of lists that hold the same items in the same order."""
    movers: tuple[Mover, ...]
    """Items with the least overlap, the popular ones first among equals."""

    @property
    def lost_share(self) -> float:
        """Share of the earlier snapshot's sources that are lost."""
        return self.lost / (self.both + self.lost) if self.both + self.lost else 0.0


class Difference(BaseModel):
    """What differs between two snapshots."""

    model_config = FROZEN

    before: str
    """Id of the earlier one."""
    after: str
    """Id of the later one."""
    tables: tuple[TableDifference, ...]
    """Tables that both have."""
    tables_gained: tuple[str, ...] = ()
    """Space and relation of tables that the later one alone has."""
    tables_lost: tuple[str, ...] = ()
    """The same of the earlier one."""

    def to_markdown(self) -> str:
        """Return tables for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"From {self.before} to {self.after}:"
        for what, names in (("gained", self.tables_gained), ("lost", self.tables_lost)):
            if names:
                yield f"\nTables {what}: {', '.join(names)}"
        yield "\n| lists | in both | gained | lost | Jaccard | overlap (RBO) | unchanged |"
        yield "|---|---|---|---|---|---|---|"
        for table in self.tables:
            yield (
                f"| {table.space} {table.relation} | {table.both:,} | {table.gained:,} "
                f"| {table.lost:,} | {table.jaccard:.3f} | {table.overlap:.3f} "
                f"| {table.unchanged:.1%} |"
            )
        for table in self.tables:
            yield from _mover_lines(table)


def _mover_lines(table: TableDifference) -> Iterator[str]:
    if not table.movers:
        return
    yield f"\nMost changed, {table.space} {table.relation}:\n"
    yield "| item | overlap | before | after |"
    yield "|---|---|---|---|"
    for mover in table.movers:
        before, after = (", ".join(map(_cell, names)) for names in (mover.before, mover.after))
        name = _cell(mover.title or mover.id)
        yield f"| {name} | {mover.overlap:.3f} | {before} | {after} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())
