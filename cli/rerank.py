"""The command `rerank`: candidates in the order of a server's ranking model."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from cli.ask import ask, titles_of
from shelfmate.client import Client, EntryError, Options
from shelfmate.client.ranking import BIAS, CandidateList, RankedItem, RankedList

MOST_SHOWN = 5
"""Features named for an item, those that did most."""


def ask_rerank(
    given: CandidateList,
    options: Options,
    *,
    contributions: bool,
    address: str,
    console: Console,
) -> None:
    """Show candidates in the order that a server ranks them in.

    Raises:
        ConfigError: the server cannot be reached or refuses the call.
        DataError: the list could not be ordered.
    """

    def show(client: Client) -> list[EntryError]:
        answer = client.rerank([given], options, contributions=contributions)
        (outcome,) = answer.outcomes
        if isinstance(outcome, EntryError):
            return [outcome]
        titles = titles_of(client, outcome.item_ids)
        console.print(_table(outcome, titles, explained=contributions))
        if outcome.skipped_item_ids:
            console.print(f"not known: {', '.join(outcome.skipped_item_ids)}", markup=False)
        return []

    ask(show, address)


def _table(ranked: RankedList, titles: dict[str, str], *, explained: bool) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("score", justify="right")
    for heading in ("item", "title", *(["because of"] if explained else [])):
        table.add_column(heading)
    for item in ranked.items:
        score = "unknown" if item.score is None else f"{item.score:.3f}"
        reasons = [", ".join(_reasons(item))] if explained else []
        table.add_row(score, item.item_id, titles.get(item.item_id, ""), *reasons)
    return table


def _reasons(item: RankedItem) -> Iterator[str]:
    """Give the features that did most, and what they did."""
    features = [(name, part) for name, part in item.contributions.items() if name != BIAS]
    for name, part in sorted(features, key=lambda each: -abs(each[1]))[:MOST_SHOWN]:
        if part:
            yield f"{name} = {item.values[name]:g} ({part:+.3f})"
