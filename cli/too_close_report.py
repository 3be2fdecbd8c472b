"""What thresholds of likeness do to lists, and which ones are recommended."""

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from artifacts.relation import Relation

FROZEN = ConfigDict(frozen=True, extra="forbid")

ThresholdName: TypeAlias = Literal["max_to_source", "max_between", "min_similarity"]


class ExamplePair(BaseModel):
    """Two items of the catalogue and how alike they are."""

    model_config = FROZEN

    likeness: float
    """Cosine of their input vectors."""
    source: str
    """Title, or id where there is none: of the source, or of the better item."""
    item: str
    """The same of the item that the threshold is about."""


class ThresholdEffect(BaseModel):
    """What one value of one threshold does to the lists."""

    model_config = FROZEN

    value: float
    """Cosine."""
    removed: float
    """Items of an open list that it removes, on average."""
    changed: float
    """Share of the lists that it changes."""
    shortened: float
    """Share of the lists that are full without it and short with it."""
    duplicates_removed: float
    """Share of the places held by an item of the same title as the source or a better item that are
    free of one; 0 where no list has one."""
    mrr: float
    """On held-out sessions."""
    loss: float
    """MRR without it minus MRR with it."""
    loss_low: float
    """Lower end of the paired bootstrap interval of the loss."""
    loss_high: float
    """Upper end."""
    removed_pairs: tuple[ExamplePair, ...]
    """Nearest to the value among those that it removes."""
    kept_pairs: tuple[ExamplePair, ...]
    """Nearest to the value among those that it keeps."""


class ThresholdSweep(BaseModel):
    """One threshold over its values."""

    model_config = FROZEN

    threshold: ThresholdName
    effects: tuple[ThresholdEffect, ...]
    """From the value that removes least to the one that removes most."""
    recommended: float | None
    """Value by the rule of the report; None where no value keeps it."""
    by_category: dict[str, float] = {}
    """The same for top categories with cases enough, where it differs."""


class TooCloseReport(BaseModel):
    """The experiment on one space and relation."""

    model_config = FROZEN

    space: str
    relation: Relation
    snapshot: str
    k: int
    """Length of the lists."""
    cases: int
    """Last steps of held-out sessions."""
    lists: int
    """Different items that ask, and that the space knows."""
    duplicates: float
    """Items of an open list with the title of the source or of a better item, on average."""
    mrr: float
    """Without thresholds."""
    max_loss: float
    """Share of the MRR that a threshold may cost."""
    max_shortened: float
    """Share of the lists that a threshold on likeness from above may shorten."""
    sweeps: tuple[ThresholdSweep, ...]

    @property
    def rule(self) -> str:
        """Say by which rule values are recommended."""
        return (
            "recommended is the value that removes most while the worst end of the interval of its "
            f"loss is at most {self.max_loss:.1%} of the MRR and, for a maximum, it shortens at most "
            f"{self.max_shortened:.1%} of the lists"
        )

    def to_text(self) -> str:
        """Return tables, example pairs and settings for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield (
            f"{self.space} {self.relation}, snapshot {self.snapshot}: {self.lists:,} lists of "
            f"{self.k} for {self.cases:,} held-out steps; MRR@{self.k} {self.mrr:.4f}, "
            f"{self.duplicates:.2f} items of a title met before in a list"
        )
        for sweep in self.sweeps:
            yield from _sweep_lines(sweep)
        yield f"\n{self.rule[0].upper()}{self.rule[1:]}."
        yield from self.toml_lines()

    def toml_lines(self) -> Sequence[str]:
        """Return the recommended thresholds as lines of a table [[index.spaces]]."""
        chosen = [sweep for sweep in self.sweeps if sweep.recommended is not None]
        lines = [f"bands.{sweep.threshold} = {sweep.recommended}" for sweep in chosen]
        categories = sorted({name for sweep in self.sweeps for name in sweep.by_category})
        for name in categories:
            # A category's band stands in place of the whole band of the space.
            values = {
                sweep.threshold: sweep.by_category.get(name, sweep.recommended)
                for sweep in self.sweeps
            }
            inner = ", ".join(
                f"{key} = {value}" for key, value in values.items() if value is not None
            )
            quoted = name.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'bands.categories."{quoted}" = {{ {inner} }}')
        return lines


def _sweep_lines(sweep: ThresholdSweep) -> Iterator[str]:
    chosen = "none" if sweep.recommended is None else f"{sweep.recommended}"
    yield f"\n{sweep.threshold} (recommended: {chosen})"
    yield (
        f"{'value':>7} {'removed':>8} {'changed':>8} {'short':>7} {'doubles gone':>13} "
        f"{'MRR':>8} {'loss':>9}  interval"
    )
    for effect in sweep.effects:
        yield (
            f"{effect.value:>7.3f} {effect.removed:>8.2f} {effect.changed:>8.1%} "
            f"{effect.shortened:>7.1%} {effect.duplicates_removed:>13.1%} {effect.mrr:>8.4f} "
            f"{effect.loss:>+9.4f}  [{effect.loss_low:+.4f}, {effect.loss_high:+.4f}]"
        )
    for effect in sweep.effects:
        yield f"\n  around {effect.value:.3f}"
        for what, pairs in (("removed", effect.removed_pairs), ("kept", effect.kept_pairs)):
            for pair in pairs:
                yield f"    {what:<7} {pair.likeness:.4f}  {pair.source}  |  {pair.item}"
