import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from artifacts.errors import ConfigError
from indexer.band_kernels import BETWEEN, KEPT, ROUNDING, TO_SOURCE, TOO_FAR
from indexer.bands import (
    Bands,
    Limits,
    OpenList,
    Sources,
    further_reasons,
    limits_of,
    reciprocal_lengths,
)
from indexer.bands_config import Band, BandsConfig
from tests.clusters import clustered
from tests.made_artifacts import write_prepared

OPEN = Band()


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    lengths = np.linalg.norm(one.astype(np.float64)) * np.linalg.norm(other.astype(np.float64))
    return float(one.astype(np.float64) @ other / lengths) if lengths else 0.0


def kept_twin(
    vectors: np.ndarray, own: int, found: list[int], band: Band, k: int
) -> tuple[list[int], list[int]]:
    """Walk one list in float64: what stays, and how many went for each reason."""
    kept: list[int] = []
    removed = [0, 0, 0]
    for item in found:
        if len(kept) == k:
            break
        if item < 0 or item == own:
            continue
        likeness = cosine(vectors[own], vectors[item])
        if band.max_to_source is not None and likeness >= band.max_to_source - ROUNDING:
            removed[0] += 1
        elif band.min_similarity is not None and likeness < band.min_similarity:
            removed[2] += 1
        elif band.max_between is not None and any(
            cosine(vectors[better], vectors[item]) >= band.max_between - ROUNDING for better in kept
        ):
            removed[1] += 1
        else:
            kept.append(item)
    return kept, removed


def keep(vectors: np.ndarray, own: list[int], found: np.ndarray, band: Band, k: int):
    limits = np.tile(limits_of(band), (len(own), 1))
    sources = Sources(vectors[own], np.array(own, dtype=np.int32), limits)
    return Bands.of(vectors).keep(sources, found.astype(np.int32), k)


BANDS = st.builds(
    Band,
    max_to_source=st.none() | st.sampled_from([0.45, 0.85, 0.95]),
    max_between=st.none() | st.sampled_from([0.15, 0.65, 0.95]),
    min_similarity=st.none() | st.sampled_from([-0.55, 0.05, 0.35]),
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(seed=st.integers(0, 10**6), band=BANDS, k=st.integers(1, 12), skew=st.sampled_from([0, 0.5]))
def test_walk_equals_the_twin_of_plain_python(seed: int, band: Band, k: int, skew: float):
    rng = np.random.default_rng(seed)
    vectors = clustered(30, 5, clusters=4, skew=skew, seed=seed)
    own = rng.integers(0, 30, 4).tolist()
    found = np.vstack([rng.permutation(30)[:20] for _ in own])
    found[:, -3:] = -1
    apart = keep(vectors, own, found, band, k)
    for line, item in enumerate(own):
        kept, removed = kept_twin(vectors, item, found[line].tolist(), band, k)
        assert apart.take(found, -1)[line].tolist() == kept + [-1] * (k - len(kept))
        assert apart.removed[line].tolist() == removed


def test_item_is_held_against_those_kept_and_not_against_those_removed():
    vectors = np.array([[1, 0], [1, 0.05], [1, 0.3], [1, 0.6]], dtype=np.float32)
    # Item 2 goes because of item 1; item 3 is near item 2 alone, so it stays.
    apart = keep(vectors, [0], np.array([[1, 2, 3]]), Band(max_between=0.95), 3)
    assert apart.kept.tolist() == [[0, 2, -1]]
    assert apart.removed.tolist() == [[0, 1, 0]]


def test_copies_of_the_source_and_of_each_other_go():
    vectors = np.ones((5, 7), dtype=np.float32) * np.array([[1], [2], [3], [4], [0]], np.float32)
    found = np.array([[1, 2, 3, 4]])
    assert keep(vectors, [0], found, Band(max_to_source=0.99), 4).kept.tolist() == [[3, -1, -1, -1]]
    assert keep(vectors, [0], found, Band(max_between=0.99), 4).kept.tolist() == [[0, 3, -1, -1]]


@pytest.mark.parametrize("dim", [3, 100, 2048])
def test_a_limit_of_one_removes_copies_however_likeness_is_rounded(dim):
    copies = np.tile(clustered(1, dim, seed=5), (20, 1)) * np.linspace(0.1, 9, 20)[:, None]
    vectors = np.vstack([copies, clustered(1, dim, seed=6)]).astype(np.float32)
    found = np.arange(21)[None]
    assert keep(vectors, [0], found, Band(max_to_source=1.0), 25).kept[0, :2].tolist() == [20, -1]
    assert keep(vectors, [0], found, Band(max_between=1.0), 25).kept[0, :3].tolist() == [1, 20, -1]


def test_items_exactly_at_a_maximum_go_and_those_exactly_at_the_minimum_stay():
    vectors = np.array([[1, 0], [3, 4], [3, -4]], dtype=np.float32)  # cosines 0.6, 0.6 and -0.28
    found = np.array([[1, 2]])
    assert keep(vectors, [0], found, Band(max_to_source=0.6), 2).kept.tolist() == [[-1, -1]]
    assert keep(vectors, [0], found, Band(max_between=-0.28), 2).kept.tolist() == [[0, -1]]
    assert keep(vectors, [0], found, Band(min_similarity=-0.28), 2).kept.tolist() == [[0, 1]]


@settings(derandomize=True, deadline=None, max_examples=100)
@given(seed=st.integers(0, 10**6), band=BANDS, k=st.integers(1, 12), cut=st.integers(0, 20))
def test_list_that_goes_on_is_the_list_made_in_one_go(seed: int, band: Band, k: int, cut: int):
    vectors = clustered(30, 5, clusters=4, seed=seed)
    found = np.random.default_rng(seed).permutation(np.arange(1, 30))[:20]
    whole, _ = kept_twin(vectors, 0, found.tolist(), band, k)
    begun, _ = kept_twin(vectors, 0, found[:cut].tolist(), band, k)
    further = found[cut:]
    goes_on = OpenList(vectors[0], vectors[begun], k - len(begun))
    reasons = further_reasons(goes_on, vectors[further], limits_of(band))
    assert begun + further[reasons == KEPT][: k - len(begun)].tolist() == whole


def test_further_hits_fall_to_the_first_limit_that_objects():
    source, held = np.array([1, 0], np.float32), np.array([[0.8, 0.6]], np.float32)
    found = np.array([[1, 0.1], [0.8, 0.5], [0.8, -0.6], [-1, 0]], dtype=np.float32)
    limits = limits_of(Band(max_to_source=0.9, max_between=0.9, min_similarity=0))
    reasons = further_reasons(OpenList(source, held, 3), found, limits)
    assert reasons.tolist() == [TO_SOURCE, BETWEEN, KEPT, TOO_FAR]


def test_sources_may_be_vectors_that_are_no_item():
    vectors = np.eye(3, dtype=np.float32)
    limits = limits_of(Band(max_to_source=0.9))[None]
    sources = Sources(np.array([[5, 0, 0]], np.float32), np.array([-1], np.int32), limits)
    apart = Bands.of(vectors).keep(sources, np.array([[0, 1, 2]], dtype=np.int32), 3)
    assert apart.kept.tolist() == [[1, 2, -1]]


def test_reciprocal_lengths_of_zero_vectors_are_zero():
    vectors = np.array([[3, 4], [0, 0], [0, 0.5]], dtype=np.float32)
    np.testing.assert_allclose(reciprocal_lengths(vectors), [0.2, 0, 2])


def test_categories_may_have_thresholds_of_their_own(tmp_path):
    catalog = write_prepared(tmp_path / "prepared", 6).catalog
    config = BandsConfig(max_to_source=0.9, categories={"Dairy": Band(min_similarity=0.25)})
    limits = Limits.of(config, catalog).of_rows(np.array([0, 1, 2], dtype=np.int32))
    np.testing.assert_allclose(limits, [[0.9, 2, -2], [2, 2, 0.25], [0.9, 2, -2]])


def test_category_that_the_catalogue_lacks_is_named(tmp_path):
    catalog = write_prepared(tmp_path / "prepared", 6).catalog
    with pytest.raises(ConfigError, match="no top category 'Diary'; it has: Bakery, Dairy"):
        Limits.of(BandsConfig(categories={"Diary": OPEN}), catalog)


def test_band_through_which_nothing_passes_is_refused():
    with pytest.raises(ValidationError, match="nothing passes"):
        Band(max_to_source=0.5, min_similarity=0.5)
    assert Band(max_to_source=0.5, min_similarity=0.4)
