import numpy as np
import pytest
from scipy.stats import bootstrap

from trainer.bootstrap import Bootstrap
from trainer.config import EvaluateConfig

CONFIG = EvaluateConfig(resamples=3_000)


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    rng = np.random.default_rng(0)
    common = rng.exponential(size=400)
    return np.stack([common, common + rng.normal(0.05, 0.1, 400)], axis=1)


def test_intervals_agree_with_scipy(values):
    mean, low, high = Bootstrap.of(values, CONFIG).interval(0)
    oracle = bootstrap(
        (values[:, 0],), np.mean, n_resamples=3_000, method="percentile", rng=1
    ).confidence_interval
    assert mean == pytest.approx(values[:, 0].mean())
    width = oracle.high - oracle.low
    assert (low, high) == pytest.approx((oracle.low, oracle.high), abs=0.08 * width)


def test_differences_are_paired(values):
    made = Bootstrap.of(values, CONFIG)
    mean, low, high = made.difference(1, 0)
    assert mean == pytest.approx((values[:, 1] - values[:, 0]).mean())
    # Each column varies twenty times as much as their difference does.
    assert high - low < 0.2 * (made.interval(0)[2] - made.interval(0)[1])
    assert low > 0
    assert made.difference(0, 1) == pytest.approx((-mean, -high, -low))


def test_seed_decides_the_resamples(values):
    first, again = (Bootstrap.of(values, CONFIG) for _ in range(2))
    other = Bootstrap.of(values, CONFIG.model_copy(update={"seed": 1}))
    assert first.interval(0) == again.interval(0) != other.interval(0)


def test_higher_confidence_is_wider(values):
    wide = Bootstrap.of(values, CONFIG.model_copy(update={"confidence": 0.99})).interval(0)
    usual = Bootstrap.of(values, CONFIG).interval(0)
    assert wide[1] < usual[1] < usual[2] < wide[2]


def test_one_session_has_no_spread():
    assert Bootstrap.of(np.array([[0.5]]), CONFIG).interval(0) == (0.5, 0.5, 0.5)
