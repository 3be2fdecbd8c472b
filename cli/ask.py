"""Asks a running server and shows answers by title."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Table

from artifacts.errors import ConfigError, DataError
from cli.access import access_of
from shelfmate.client import (
    CallError,
    Client,
    EntryError,
    Item,
    Options,
    Recommendations,
    Shopper,
)
from shelfmate.client.visits import Strategy

TIMEOUT_S = 5.0


def ask_similar(
    item_ids: Sequence[str], options: Options, *, address: str, console: Console
) -> None:
    """Show what a server recommends for each item.

    Raises:
        ConfigError: the server cannot be reached or refuses the call.
        DataError: an entry failed; what could be answered was shown.
    """
    ask(lambda client: show_similar(client, item_ids, options, console=console), address)


def ask_session(
    item_ids: Sequence[str],
    options: Options,
    *,
    strategy: Strategy | None,
    address: str,
    console: Console,
) -> None:
    """Show what a server recommends for a shopper who visited some items, oldest first.

    Raises:
        ConfigError: the server cannot be reached or refuses the call.
        DataError: the session failed.
    """

    def show(client: Client) -> list[EntryError]:
        return show_sessions(client, [item_ids], options, strategy=strategy, console=console)

    ask(show, address)


def ask_users(user_ids: Sequence[str], options: Options, *, address: str, console: Console) -> None:
    """Show what a server recommends for each shopper.

    Raises:
        ConfigError: the server cannot be reached or refuses the call.
        DataError: an entry failed; what could be answered was shown.
    """
    shoppers = [Shopper(user_id) for user_id in user_ids]
    ask(lambda client: show_users(client, shoppers, options, console=console), address)


def ask(show: Callable[[Client], list[EntryError]], address: str) -> None:
    """Open a client of a server and have something shown that it is asked for.

    Args:
        show: asks, prints, and returns the errors of what failed.
        address: `host:port`.

    Raises:
        ConfigError: the server cannot be reached or refuses the call.
        DataError: an entry failed.
    """
    try:
        with Client(address, timeout_s=TIMEOUT_S, access=access_of(os.environ)) as client:
            failed = show(client)
    except CallError as error:
        raise ConfigError(f"server at {address}: {error}") from error
    if failed:
        raise DataError("; ".join(f"{error.code}: {error.message}" for error in failed))


def show_similar(
    client: Client, item_ids: Sequence[str], options: Options, *, console: Console
) -> list[EntryError]:
    """Print a table for each item that was answered, and return the errors of the others."""
    answers = client.similar(item_ids, options)
    titles = _titles(client, item_ids, answers.outcomes)
    headings = [_named(item_id, titles) for item_id in item_ids]
    return _show(headings, answers.outcomes, titles, options, console)


def show_sessions(
    client: Client,
    baskets: Sequence[Sequence[str]],
    options: Options,
    *,
    console: Console,
    strategy: Strategy | None = None,
) -> list[EntryError]:
    """Print a table for what was visited together, and return the errors of what failed."""
    answers = client.sessions(baskets, options, strategy=strategy)
    visited = [item_id for basket in baskets for item_id in basket]
    titles = _titles(client, visited, answers.outcomes)
    headings = ["\n".join(_named(item_id, titles) for item_id in basket) for basket in baskets]
    return _show(headings, answers.outcomes, titles, options, console)


def show_users(
    client: Client, shoppers: Sequence[Shopper], options: Options, *, console: Console
) -> list[EntryError]:
    """Print a table for each shopper, and return the errors of those that failed."""
    answers = client.users(shoppers, options)
    titles = _titles(client, (), answers.outcomes)
    headings = [f"shopper {shopper.user_id}" for shopper in shoppers]
    return _show(headings, answers.outcomes, titles, options, console)


def _show(
    headings: Sequence[str],
    outcomes: Sequence[Recommendations | EntryError],
    titles: dict[str, str],
    options: Options,
    console: Console,
) -> list[EntryError]:
    """Print what was answered, and return the errors."""
    failed: list[EntryError] = []
    for heading, outcome in zip(headings, outcomes, strict=True):
        if isinstance(outcome, EntryError):
            failed.append(outcome)
        else:
            console.print(_table(heading, outcome, titles, options))
            for remark in _remarks(outcome, titles):
                console.print(remark, style="italic", markup=False, soft_wrap=True)
    return failed


def _named(item_id: str, titles: dict[str, str]) -> str:
    return f"{item_id}  {titles.get(item_id, '(not in the catalogue)')}"


def _titles(
    client: Client,
    item_ids: Sequence[str],
    outcomes: Iterable[Recommendations | EntryError],
) -> dict[str, str]:
    wanted = dict.fromkeys(item_ids)
    for outcome in outcomes:
        if isinstance(outcome, Recommendations):
            wanted |= dict.fromkeys(outcome.item_ids)
            wanted |= dict.fromkeys(item.anchor_item_id for item in outcome.items)
    wanted.pop("", None)
    return titles_of(client, list(wanted))


def titles_of(client: Client, names: Sequence[str]) -> dict[str, str]:
    """Return the titles of the items that a server knows, by id."""
    found = [
        item
        for start in range(0, len(names), 1000)
        for item in client.items(names[start : start + 1000])
    ]
    return {item.item_id: item.title for item in found if isinstance(item, Item)}


def _table(
    heading: str, answer: Recommendations, titles: dict[str, str], options: Options
) -> Table:
    asked = ", ".join(filter(None, (options.serving_config, options.relation)))
    table = Table(
        title=f"{heading}{f' ({asked})' if asked else ''}",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    for heading, justify in (
        ("score", "right"),
        ("source", "left"),
        ("item", "left"),
        ("title", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]  # a literal type
    for item in answer.items:
        score = f"{item.score:,.0f}" if item.score_kind == "count" else f"{item.score:.3f}"
        table.add_row(score, item.source, item.item_id, titles.get(item.item_id, ""))
    return table


def _remarks(answer: Recommendations, titles: dict[str, str]) -> Iterator[str]:
    """Say what the answer tells of itself beside its items."""
    if answer.shortfall:
        yield f"shorter than asked: {answer.shortfall}"
    anchors = {item.anchor_item_id: item for item in answer.items if item.source == "hybrid"}
    for item_id, item in anchors.items():
        yield f"borrowed from {item_id}  {titles.get(item_id, '')} (alike: {item.anchor_similarity:.3f})"
    if (unused := answer.unused_anchor) is not None:
        nearest = "no popular item in the category"
        if unused.similarity is not None:
            nearest = f"{unused.item_id} is the most alike ({unused.similarity:.3f})"
        yield f"nothing borrowed: {nearest}, at least {unused.min_similarity:.3f} is asked for"
