"""Seeded events of several kinds, with repeats, equal times, bots and rows in no order."""

from datetime import timedelta

import numpy as np

from tests.made_sessions import START, Row

KINDS = {"view": 1.0, "cart": 3.0, "purchase": 5.0}
KINDS_COLUMNS = {"user_id": "user_id", "timestamp": "timestamp", "event": "kind"}


def made_events(sessions: int = 80, seed: int = 0) -> list[Row]:
    """Return sessions of 1 to 9 events by 20 users, and a bot that takes one thing a second."""
    rng = np.random.default_rng(seed)
    events = [_event(rng, "bot", "robot", place, START, seconds=1) for place in range(40)]
    for session in range(sessions):
        begin = START + timedelta(minutes=int(rng.integers(3_000)))
        user = f"u{rng.integers(20)}"
        length = int(rng.integers(1, 10))
        events += [_event(rng, f"s{session}", user, place, begin) for place in range(length)]
    return [events[place] for place in rng.permutation(len(events))]


def _event(rng, session, user, place, begin, seconds=120) -> Row:
    # Places share a moment by threes, so that ties are the rule.
    return {
        "session_id": session,
        "user_id": user,
        "item_id": f"i{rng.integers(12):02d}",
        "position": str(place),
        "timestamp": (begin + timedelta(seconds=place // 3 * seconds)).isoformat(" "),
        "kind": str(rng.choice(list(KINDS), p=[0.6, 0.25, 0.15])),
        "part": "test" if rng.random() < 0.03 else "train",
    }
