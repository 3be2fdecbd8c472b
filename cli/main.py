"""The `shelfmate` command."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from artifacts.errors import ShelfmateError
from artifacts.relation import Relation
from cli.access import access_of
from cli.activate import activate_snapshot
from cli.ask import ask_session, ask_similar, ask_users
from cli.exit_codes import BUG, INTERRUPTED, exit_code
from cli.optional import extra
from cli.progress import ConsoleProgress
from cli.rerank import ask_rerank
from cli.serving import run_server
from cli.shop import ShopConfig, Workspace, load_shop
from cli.snapshots import diff_snapshots, roll_back_snapshot, run_publish, snapshot_table
from retrieval.queries import SessionStrategy
from server.observation.logs import set_up_logs
from shelfmate.client import CandidateList, Options

app = typer.Typer(
    name="shelfmate",
    help="Product recommendations for shops with huge catalogues: from event logs to gRPC answers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="Shop file (TOML).", show_default=True)
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Publish below the gate's thresholds; this is recorded.")
]
DEFAULT_CONFIG = Path("shop.toml")


def _shop(config: Path) -> ShopConfig:
    return load_shop(config)


@app.command("prepare")
def prepare_command(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Turn event and item files into sessions, a vocabulary and a catalogue."""
    with extra("trainer"):
        from cli.pipeline import run_prepare
    shop = _shop(config)
    with ConsoleProgress(err) as progress:
        prepared = run_prepare(shop, progress)
    out.print((prepared.path / "report.md").read_text("utf-8"), markup=False)
    out.print(f"prepared data: {prepared.path}", markup=False)


@app.command("train")
def train_command(
    spaces: Annotated[
        list[str] | None,
        typer.Argument(
            help="`cf` (prod2vec), `meta` (meta-prod2vec), `content` (fastText), `user` (ALS), "
            "`image` (Inception v3), or the tables `covisitation` and `sessions`; none: all that "
            "the shop file has settings for."
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Learn vectors from the prepared data."""
    with extra("trainer"):
        from cli.spaces import run_train
    shop = _shop(config)
    with ConsoleProgress(err) as progress:
        folders = run_train(shop, spaces or (), progress)
    for name, folder in folders.items():
        out.print(f"{name}: {folder}", markup=False)


@app.command("near")
def near_command(
    tokens: Annotated[
        list[str], typer.Argument(help="Metadata, such as `brand=Private`; several are summed.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    k: Annotated[int, typer.Option("-k", help="Products wanted.", min=1)] = 10,
    relation: Annotated[
        Relation, typer.Option(help="Products like those, or what goes with them.")
    ] = Relation.ALTERNATIVES,
) -> None:
    """Show the products near a brand, a category or other metadata, in the space `meta`."""
    with extra("trainer"):
        from cli.near import run_near
    for each in run_near(_shop(config), tokens, relation, k):
        out.print(
            f"{each.score:8.3f}  {each.item_id}  {each.title}  ({each.category})", markup=False
        )


@app.command("map")
def map_command(
    spaces: Annotated[list[str] | None, typer.Argument(help="Spaces; none: `cf`.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw spaces by t-SNE, coloured by category: a page that works offline, and a picture."""
    with extra("trainer"):
        from cli.maps import run_maps
    shop = _shop(config)
    with ConsoleProgress(err) as progress:
        files = run_maps(shop, spaces or ("cf",), progress)
    for each in files:
        out.print(f"{each.page}\n{each.picture}", markup=False)


@app.command("recommend-users")
def recommend_users_command(
    folder: Annotated[Path, typer.Option("--out", help="Folder for Parquet files; resumable.")],
    config: ConfigOption = DEFAULT_CONFIG,
    users: Annotated[
        Path | None, typer.Option(help="User ids, one a line; unset: all users.")
    ] = None,
    deny: Annotated[
        Path | None, typer.Option(help="Item ids, one a line, that nobody gets.")
    ] = None,
) -> None:
    """Write the best items of every user, without what they have bought: an e-mail campaign."""
    with extra("trainer"):
        from cli.campaign import CampaignFiles, run_campaign
    shop = _shop(config)
    with ConsoleProgress(err) as progress:
        files = CampaignFiles(folder, users, deny)
        report = run_campaign(Workspace(shop.work_dir), files, shop.campaign, progress)
    out.print(
        f"{report.rows:,} recommendations for {report.users:,} users in {folder}; "
        f"unknown: {report.unknown_users:,} users, {report.unknown_items:,} items",
        markup=False,
    )


@app.command("evaluate")
def evaluate_command(
    config: ConfigOption = DEFAULT_CONFIG,
    every_step: Annotated[
        bool, typer.Option("--every-step", help="Predict every item from all before it instead.")
    ] = False,
) -> None:
    """Predict the last item of held-out sessions from the one before it."""
    with extra("trainer"):
        from cli.pipeline import run_evaluate
    shop = _shop(config)
    with ConsoleProgress(err) as progress:
        report = run_evaluate(shop, progress, every_step=every_step)
    out.print(report.to_text(), markup=False)


@app.command("tune")
def tune_command(
    space: Annotated[str, typer.Argument(help="cf, content, image, meta, user, or ranker.")],
    config: ConfigOption = DEFAULT_CONFIG,
    trials: Annotated[
        int, typer.Option(help="Trials that the study shall have; a later run goes on.", min=1)
    ] = 50,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds after which no further trial begins.", min=1)
    ] = None,
    sample: Annotated[
        float, typer.Option(help="Share of the sessions that trials learn from.", min=0.001, max=1)
    ] = 0.2,
    workers: Annotated[int, typer.Option(help="Processes that work on the study.", min=1)] = 1,
    storage: Annotated[
        str | None, typer.Option(help="Database URL of the studies; unset: work_dir/studies.db.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--out", help="Shop file to write; unset: beside the old one.")
    ] = None,
) -> None:
    """Search settings of a space, or of the ranker; write a shop file that is ready to train."""
    with extra("trainer"):
        from cli.tune import TuneOptions, run_tune, tuned_text
    options = TuneOptions(config, space, trials, timeout, sample, workers, storage, output)
    with ConsoleProgress(err) as progress:
        tuned = run_tune(options, progress)
    for line in tuned_text(tuned):
        out.print(line, markup=False)


@app.command("rank")
def rank_command(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Train the ranker on the last sessions, with what was known before them, and compare it."""
    with extra("trainer"):
        from cli.rank import run_rank
    shop = _shop(config)
    with ConsoleProgress(err) as progress:
        report, folder = run_rank(shop, progress)
    out.print(report.to_text(), markup=False)
    out.print(f"ranker: {folder}", markup=False)


@app.command("cold-start")
def cold_start_command(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Hide known items from training and measure what can be recommended beside them."""
    with extra("trainer"):
        from cli.cold_start import run_cold_start
    shop = _shop(config)
    with ConsoleProgress(err) as progress:
        report, folder = run_cold_start(shop, progress)
    out.print(report.to_text(), markup=False)
    out.print(f"report and charts: {folder}", markup=False)


@app.command("too-close")
def too_close_command(
    spaces: Annotated[list[str] | None, typer.Argument(help="Spaces; none: `cf`.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Try thresholds of likeness on the snapshot in service: duplicates gone, lists short, MRR lost."""
    with extra("trainer"):
        from cli.too_close import run_too_close
    shop = _shop(config)
    with ConsoleProgress(err) as progress:
        finished = run_too_close(shop, spaces or ("cf",), progress)
    for report, page in finished:
        out.print(report.to_text(), markup=False)
        out.print(f"chart: {page}\n", markup=False)


@app.command("index")
def index_command(
    config: ConfigOption = DEFAULT_CONFIG,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Build all anew, also what has not changed.")
    ] = False,
) -> None:
    """Build indices and neighbour tables, measure them, and seal a snapshot."""
    with extra("trainer"):
        from cli.pipeline import run_index
    shop = _shop(config)
    with ConsoleProgress(err) as progress:
        snapshot = run_index(shop, progress, fresh=fresh)
    out.print(f"snapshot: {snapshot.path} (not in service; `shelfmate publish` puts it there)")


@app.command("publish")
def publish_command(
    config: ConfigOption = DEFAULT_CONFIG,
    id: Annotated[str | None, typer.Option("--id", help="Snapshot; unset: the newest.")] = None,
    force: ForceOption = False,
) -> None:
    """Put a snapshot in service, if it passed the gate."""
    out.print(f"in service: {run_publish(_shop(config), id, force=force)}")


@app.command("rollback")
def rollback_command(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Put the snapshot back in service that was there before the last one published."""
    out.print(f"in service: {roll_back_snapshot(_shop(config))}")


@app.command("activate")
def activate_command(
    id: Annotated[str, typer.Argument(help="Snapshot; an older one rolls back.")],
    address: Annotated[
        str, typer.Option(help="Admin service of the host, host:port.")
    ] = "127.0.0.1:50052",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for all workers.", min=1)] = 120,
) -> None:
    """Put a snapshot in service on a running host, and wait until all of its workers serve it."""
    replaced = activate_snapshot(id, address, access_of(os.environ), timeout_s=timeout)
    out.print(f"in service: {id} (before: {replaced or 'none'})", markup=False)


@app.command("snapshots")
def snapshots_command(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List snapshots: age, size, recall, gate, and which one is in service."""
    Console(highlight=False).print(snapshot_table(Workspace(_shop(config).work_dir).snapshots))


@app.command("diff")
def diff_command(
    before: Annotated[
        str | None, typer.Argument(help="Earlier snapshot; none: the one in service.")
    ] = None,
    after: Annotated[str | None, typer.Argument(help="Later snapshot; none: the newest.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    movers: Annotated[int, typer.Option(help="Items named for each table.", min=0)] = 10,
) -> None:
    """Compare the lists of two snapshots: what they have in common, and which moved most."""
    difference = diff_snapshots(_shop(config), before, after, movers=movers)
    out.print(difference.to_markdown(), markup=False)


@app.command("run")
def run_command(config: ConfigOption = DEFAULT_CONFIG, force: ForceOption = False) -> None:
    """Prepare, train, evaluate, rank, index and publish; stages that are up to date are skipped."""
    with extra("trainer"):
        from cli.all_stages import run_all
    shop = _shop(config)
    with ConsoleProgress(err) as progress:
        snapshot, id = run_all(shop, progress, force=force)
    out.print(f"in service: {id} ({snapshot.path})", markup=False)


@app.command("serve")
def serve_command(
    config: ConfigOption = DEFAULT_CONFIG,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one. Unset: the shop file's.")
    ] = None,
    port_file: Annotated[
        Path | None, typer.Option(help="Write the port there once requests are answered.")
    ] = None,
) -> None:
    """Answer gRPC calls from the snapshot in service, until SIGTERM or Ctrl-C."""
    shop = _shop(config)
    set_up_logs(shop.server.logs, level=logging.INFO)
    run_server(shop, port=port, port_file=port_file)


@app.command("similar")
def similar_command(
    item_ids: Annotated[list[str], typer.Argument(help="Item ids.")],
    address: Annotated[str, typer.Option(help="Server, host:port.")] = "127.0.0.1:50051",
    k: Annotated[int, typer.Option("-k", help="Items wanted.")] = 10,
    relation: Annotated[
        Relation | None, typer.Option(help="What is asked for; unset: the server's choice.")
    ] = None,
    serving_config: Annotated[
        str, typer.Option(help="Named behaviour; unset: the server's default.")
    ] = "",
) -> None:
    """Ask a running server for recommendations, shown by title with score and source."""
    options = Options(
        k=k, relation=relation.value if relation else None, serving_config=serving_config
    )
    ask_similar(item_ids, options, address=address, console=out)


@app.command("session")
def session_command(
    item_ids: Annotated[list[str], typer.Argument(help="Ids of visited items, oldest first.")],
    address: Annotated[str, typer.Option(help="Server, host:port.")] = "127.0.0.1:50051",
    k: Annotated[int, typer.Option("-k", help="Items wanted.")] = 10,
    strategy: Annotated[
        SessionStrategy | None,
        typer.Option(help="How visits become recommendations; unset: the server's choice."),
    ] = None,
    serving_config: Annotated[
        str, typer.Option(help="Named behaviour; unset: the server's default.")
    ] = "",
) -> None:
    """Ask a running server what belongs with visited items."""
    options = Options(k=k, serving_config=serving_config)
    ask_session(
        item_ids,
        options,
        strategy=strategy.value if strategy else None,
        address=address,
        console=out,
    )


@app.command("user")
def user_command(
    user_ids: Annotated[list[str], typer.Argument(help="Ids of shoppers.")],
    address: Annotated[str, typer.Option(help="Server, host:port.")] = "127.0.0.1:50051",
    k: Annotated[int, typer.Option("-k", help="Items wanted.")] = 10,
    serving_config: Annotated[
        str, typer.Option(help="Named behaviour; unset: the server's default.")
    ] = "",
) -> None:
    """Ask a running server what shoppers may want."""
    options = Options(k=k, serving_config=serving_config)
    ask_users(user_ids, options, address=address, console=out)


@app.command("rerank")
def rerank_command(
    item_ids: Annotated[list[str], typer.Argument(help="Ids of candidates.")],
    address: Annotated[str, typer.Option(help="Server, host:port.")] = "127.0.0.1:50051",
    visited: Annotated[
        list[str] | None, typer.Option(help="Id of a visited item, oldest first; repeatable.")
    ] = None,
    page: Annotated[str, typer.Option(help="Id of the item whose page is shown.")] = "",
    user: Annotated[str, typer.Option(help="Id of the shopper.")] = "",
    contributions: Annotated[
        bool, typer.Option("--contributions", help="Say which features did most.")
    ] = False,
) -> None:
    """Ask a running server to order candidates by its ranking model."""
    given = CandidateList(item_ids, visited or (), page, user)
    ask_rerank(given, Options(), contributions=contributions, address=address, console=out)


@app.command("demo")
def demo_command(
    folder: Annotated[Path, typer.Option(help="Where data, snapshot and shop file go.")] = Path(
        "build/demo"
    ),
) -> None:
    """Run everything on real baskets: prepare, train, evaluate, index, serve and ask."""
    with extra("demo"):
        from cli.demo import run_demo
    run_demo(folder, console=out, progress_console=err)


def main() -> None:
    """Run the command; errors become one message on standard error and an exit code."""
    try:
        app()
    except ShelfmateError as error:
        err.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        err.print("interrupted; finished stages are kept")
        sys.exit(INTERRUPTED)
    except Exception:
        logging.getLogger(__name__).exception("this is a bug of shelfmate's; please report it")
        sys.exit(BUG)
