"""What the pages of a shop ask, and mixtures of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from google.protobuf.message import Message

from artifacts.errors import ConfigError
from benchmarks.load_options import positive
from benchmarks.open_loop import Ask
from shelfmate.v1 import common_pb2
from shelfmate.v1 import recommender_pb2 as pb

SERVICE = "/shelfmate.v1.RecommenderService"
VISITS = 3
MAIL_BATCH = 100
DISTINCT = 1_000
"""Different calls, made in turn."""

Draw: TypeAlias = Callable[[int], list[str]]
"""Draws so many item ids."""


def item_page(draw: Draw) -> Ask:
    """Return what a product's page asks: what is like it."""
    request = pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id=draw(1)[0])])
    return _ask("RecommendSimilar", request)


def home_page(draw: Draw) -> Ask:
    """Return what a shopper's start page asks: what belongs with what was visited."""
    return _ask("RecommendForSession", pb.RecommendForSessionRequest(requests=[_session(draw)]))


def email(draw: Draw) -> Ask:
    """Return what a campaign asks: the same for a hundred shoppers at once."""
    sessions = [_session(draw) for _ in range(MAIL_BATCH)]
    return _ask("RecommendForSession", pb.RecommendForSessionRequest(requests=sessions))


SCENES: Mapping[str, Callable[[Draw], Ask]] = {
    "item_page": item_page,
    "home_page": home_page,
    "email": email,
}
"""By name."""


def parse_mix(text: str) -> dict[str, float]:
    """Read weights of scenes, such as `item_page=8,home_page=2`; a name alone weighs 1.

    Raises:
        ConfigError: a scene is unknown, or a weight is no positive number.
    """
    mix: dict[str, float] = {}
    for part in text.split(","):
        name, _, weight = part.strip().partition("=")
        if name not in SCENES:
            raise ConfigError(f"--mix: expected scenes of {', '.join(SCENES)}, got {name!r}")
        mix[name] = mix.get(name, 0.0) + positive(weight or "1", "--mix")
    return mix


def mixed_asks(mix: Mapping[str, float], ids: Sequence[str], *, seed: int) -> list[Ask]:
    """Return different calls, of each scene as many as its weight says, in a random order.

    Args:
        mix: weights by scene.
        ids: items that are asked for, all alike often; one that stands there twice, twice as often.
        seed: of what is drawn.
    """
    rng = np.random.default_rng(seed)

    def draw(count: int) -> list[str]:
        return [ids[place] for place in rng.integers(0, len(ids), count)]

    weights = np.array(list(mix.values()))
    scenes = rng.choice(list(mix), DISTINCT, p=weights / weights.sum())
    return [SCENES[scene](draw) for scene in scenes]


def _session(draw: Draw) -> pb.SessionQuery:
    return pb.SessionQuery(visits=[common_pb2.Visit(item_id=id) for id in draw(VISITS)])


def _ask(method: str, request: Message) -> Ask:
    return Ask(f"{SERVICE}/{method}", request.SerializeToString())
