"""What came into preparation, what went out, and why the rest did not."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)


class RowCounts(BaseModel):
    """Rows of one kind of file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: int
    """Rows in the files."""
    taken: int
    """Rows that were used."""
    rejected: dict[str, int]
    """Rows that were not, by reason; they lie in `rejected/`."""


class SessionCounts(BaseModel):
    """Sessions of one part of the split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kept: int
    """Sessions written."""
    dropped: dict[str, int]
    """Sessions left out, by reason."""
    events: int
    """Items in the sessions written, repeats counted."""
    length_quantiles: dict[str, int]
    """Items a session, by quantile."""
    first_start: datetime | None
    """Start of the earliest session, UTC."""
    last_start: datetime | None
    """Start of the latest session, UTC."""


class ItemCounts(BaseModel):
    """Items of the vocabulary."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    all: int
    """Items of catalogue and events together."""
    not_in_catalog: int
    """Items that only events know."""
    in_training: int
    """Items of at least one training session."""
    without_category: int
    """Items in the catch-all category."""
    without_title: int
    """Items that cannot be shown by name."""
    categories: dict[str, int]
    """Items by top category, the largest first."""


class DataReport(BaseModel):
    """The report of one preparation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: RowCounts
    """Rows of the event files."""
    catalog: RowCounts | None
    """Rows of the item files; None where there are none."""
    items: ItemCounts
    """The vocabulary."""
    order: str
    """What orders the items of a session."""
    split: str
    """Kind of split."""
    outliers: dict[str, int]
    """Sessions that broke a rule of `[prepare.outliers]`, by reason; they are in neither part."""
    train: SessionCounts
    """Sessions to learn from."""
    heldout: SessionCounts
    """Sessions to measure on."""
    shared_sessions: int
    """Sessions with events of more than one user; they count for the first by id."""

    def to_markdown(self) -> str:
        """Return the report for people."""
        parts = [
            "# Data report",
            *_rows_section("Events", self.events),
            *(_rows_section("Catalogue", self.catalog) if self.catalog else ()),
            *self._items_section(),
            *self._sessions_section(),
        ]
        return "\n".join(parts) + "\n"

    def _items_section(self) -> list[str]:
        items = self.items
        counts = {
            "items": items.all,
            "of which not in the catalogue": items.not_in_catalog,
            "of which in training sessions": items.in_training,
            "of which without a category": items.without_category,
            "of which without a title": items.without_title,
        }
        return [
            *("", "## Items", ""),
            *_table("what", "count", counts),
            *("", "## Top categories", ""),
            *_table("category", "items", items.categories),
        ]

    def _sessions_section(self) -> list[str]:
        lines = ["", "## Sessions", "", f"Order: {self.order}. Split: {self.split}."]
        if self.shared_sessions:
            lines.append(f"Sessions with events of several users: {self.shared_sessions:,}.")
        if self.outliers:
            lines += ["", "### Outliers", "", *_table("dropped sessions", "count", self.outliers)]
        for name, part in (("Training", self.train), ("Held out", self.heldout)):
            counts = {"kept": part.kept, "events in them": part.events}
            counts |= {f"dropped: {reason}": count for reason, count in part.dropped.items()}
            counts |= {f"length, quantile {q}": n for q, n in part.length_quantiles.items()}
            lines += ["", f"### {name}", "", *_table("what", "count", counts)]
            if part.first_start is not None and part.last_start is not None:
                lines += ["", f"First start {part.first_start}, last start {part.last_start}."]
        return lines


def _rows_section(title: str, rows: RowCounts) -> list[str]:
    counts = {"read": rows.read, "taken": rows.taken}
    counts |= {f"rejected: {reason}": count for reason, count in rows.rejected.items()}
    return ["", f"## {title}", "", *_table("rows", "count", counts)]


def _table(left: str, right: str, counts: dict[str, int]) -> list[str]:
    rows = [f"| {name.replace('|', '/')} | {count:,} |" for name, count in counts.items()]
    return [f"| {left} | {right} |", "|---|---:|", *rows]
