import json
from pathlib import Path

import numpy as np
import pytest

from artifacts.errors import ArtifactError, UnsupportedError
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.snapshot import Snapshot
from cli.pipeline import run_index, run_prepare
from cli.shop import ShopConfig, Workspace, load_shop
from cli.snapshots import run_publish
from cli.spaces import run_train
from cli.title_doubles import TitleDoubles
from cli.too_close import TooClose, experiments, run_too_close
from cli.too_close_report import TooCloseReport
from indexer.bands_config import Band
from tests.shop_files import SHOP, write_shop
from tests.unit.indexer.test_bands import cosine, kept_twin
from trainer.config import EvaluateConfig
from trainer.evaluate import last_steps

FEW = EvaluateConfig(k=8, resamples=100)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> ShopConfig:
    folder = tmp_path_factory.mktemp("shop")
    made = load_shop(write_shop(folder, SHOP.replace("resamples = 200", "k = 8\nresamples = 100")))
    run_prepare(made, SilentProgress())
    run_train(made, (), SilentProgress())
    snapshot = run_index(made, SilentProgress())
    run_publish(made, snapshot.id, force=True)
    return made


@pytest.fixture(scope="module")
def snapshot(shop: ShopConfig) -> Snapshot:
    return Snapshot.open(Workspace(shop.work_dir).snapshots.current(hint=""))


@pytest.fixture(scope="module")
def prepared(shop: ShopConfig) -> Prepared:
    return Prepared.open(Workspace(shop.work_dir).prepared.current(hint=""))


@pytest.fixture(scope="module")
def experiment(snapshot: Snapshot, prepared: Prepared) -> TooClose:
    return next(experiments(snapshot, prepared, "cf", FEW))


@pytest.fixture(scope="module")
def report(experiment: TooClose) -> TooCloseReport:
    return experiment.run(SilentProgress())


def test_lists_are_those_that_a_table_with_the_same_band_would_hold(experiment: TooClose):
    lists, band = experiment.lists, Band(max_to_source=0.9, max_between=0.8, min_similarity=0.1)
    found = lists.under(band)
    table = lists.table
    units = np.zeros((len(experiment.snapshot.items), table.dim), dtype=np.float32)
    units[table.rows] = table.vectors
    for line, source in enumerate(lists.sources[:20].tolist()):
        part = next(part for part in lists.index.parts.values() if source in part.rows)
        ranked = part.search(np.ascontiguousarray(units[[source]]), len(part)).rows[0].tolist()
        expected, _ = kept_twin(units, source, ranked, band, 8)
        assert found[line].tolist() == expected + [-1] * (8 - len(expected))


def test_open_lists_are_those_of_the_snapshot(experiment: TooClose, snapshot: Snapshot):
    index = experiment.lists.index
    opened = experiment.lists.under(Band())
    stored = snapshot.neighbors[index.space, index.relation]
    for line, source in enumerate(experiment.lists.sources.tolist()):
        found = stored.lookup(source)
        assert found is not None
        np.testing.assert_array_equal(opened[line], found[0][:8])


def test_likeness_is_measured_to_the_source_and_to_the_likest_better_item(experiment: TooClose):
    lists = experiment.lists
    opened = lists.under(Band())
    to_source, to_better = lists.likeness(opened)
    vectors = {
        row: lists.table.vectors[place] for place, row in enumerate(lists.table.rows.tolist())
    }
    for line in range(0, len(opened), 9):
        source = vectors[int(lists.sources[line])]
        items = [vectors[row] for row in opened[line].tolist() if row >= 0]
        for place, item in enumerate(items):
            assert to_source[line, place] == pytest.approx(cosine(source, item), abs=1e-5)
            if place:
                likest = max(cosine(better, item) for better in items[:place])
                assert to_better[line, place] == pytest.approx(likest, abs=1e-5)
        assert np.isnan(to_better[line, 0])


def test_mrr_is_the_mean_reciprocal_place_of_what_came_next(
    experiment: TooClose, report: TooCloseReport, prepared: Prepared
):
    opened = experiment.lists.under(Band())
    lists = dict(zip(experiment.lists.sources.tolist(), opened.tolist(), strict=True))
    cases = last_steps(prepared)
    total = 0.0
    for query, target in zip(cases.queries.tolist(), cases.targets.tolist(), strict=True):
        places = lists.get(query, [])
        total += 1 / (places.index(target) + 1) if target in places else 0
    assert report.cases == len(cases)
    assert report.mrr == pytest.approx(total / len(cases))
    assert report.mrr > 0.1


def test_effects_grow_from_value_to_value_and_loss_is_the_difference_of_mrr(report: TooCloseReport):
    assert [sweep.threshold for sweep in report.sweeps] == [
        "max_to_source",
        "max_between",
        "min_similarity",
    ]
    for sweep in report.sweeps:
        removed = [effect.removed for effect in sweep.effects]
        assert removed == sorted(removed)
        assert removed[-1] > 0
        for effect in sweep.effects:
            assert effect.loss == pytest.approx(report.mrr - effect.mrr)
            assert effect.loss_low <= effect.loss <= effect.loss_high


def test_example_pairs_lie_on_their_side_of_the_value(report: TooCloseReport):
    for sweep in report.sweeps:
        floor = sweep.threshold == "min_similarity"
        for effect in sweep.effects:
            for pair in effect.removed_pairs:
                assert (pair.likeness < effect.value) == floor
            for pair in effect.kept_pairs:
                assert (pair.likeness >= effect.value) if floor else (pair.likeness <= effect.value)
        assert any(effect.removed_pairs for effect in sweep.effects)
    first = report.sweeps[0].effects[0].kept_pairs[0]
    assert first.source.startswith("product ")


def test_recommended_is_the_last_value_within_the_rule(report: TooCloseReport):
    for sweep in report.sweeps:
        within = [
            effect.value
            for effect in sweep.effects
            if effect.loss_high <= report.max_loss * report.mrr
            and (sweep.threshold == "min_similarity" or effect.shortened <= report.max_shortened)
        ]
        assert sweep.recommended == (within[-1] if within else None)
    lines = report.toml_lines()
    assert len(lines) == sum(sweep.recommended is not None for sweep in report.sweeps)


def test_doubles_are_counted_by_title_against_source_and_better_items(snapshot: Snapshot):
    sources = np.array([0, 1], dtype=np.int32)
    codes = np.array([5, 6, 5, 5, 7, -9], dtype=np.int32)
    doubles = TitleDoubles(codes, sources)
    # Source 0 has title 5: items 2 and 3 double it. Source 1: item 3 doubles item 2.
    lists = np.array([[2, 4, 3, -1], [2, 4, 3, 5]], dtype=np.int32)
    assert doubles.count(lists) == 2 + 1
    made = TitleDoubles.of(snapshot.catalog, sources)
    assert len(np.unique(made.codes)) == len(snapshot.catalog)


def test_command_writes_numbers_page_and_picture(shop: ShopConfig):
    finished = run_too_close(shop, ["cf"], SilentProgress())
    assert [str(report.relation) for report, _ in finished] == ["alternatives", "continuations"]
    for report, page in finished:
        assert "plotly" in page.read_text("utf-8")
        assert page.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
        assert (
            TooCloseReport.model_validate(json.loads(page.with_suffix(".json").read_text()))
            == report
        )
        assert "recommended is the value" in report.to_text().lower()


def test_spaces_that_are_not_there_and_data_of_another_day_are_refused(
    shop: ShopConfig, tmp_path: Path
):
    with pytest.raises(UnsupportedError, match="'image'"):
        run_too_close(shop, ["image"], SilentProgress())
    changed = shop.prepare.model_copy(
        update={"sessions": shop.prepare.sessions.model_copy(update={"min_item_sessions": 3})}
    )
    other = shop.model_copy(update={"prepare": changed})
    before = Workspace(shop.work_dir).prepared.current_id()
    run_prepare(other, SilentProgress())
    with pytest.raises(ArtifactError, match="run `shelfmate index`"):
        run_too_close(other, ["cf"], SilentProgress())
    Workspace(shop.work_dir).prepared.use(str(before))
