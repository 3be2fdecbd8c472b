import numpy as np

from tests.made_users import write_sessions
from trainer.user_cases import UserCases, read_user_cases, user_ranks


def test_cases_are_the_last_items_of_sessions_with_a_user(tmp_path):
    sessions: list[dict[str, object]] = [
        {"session_id": "a", "user_id": "u1", "items": [3, 5]},
        {"session_id": "b", "user_id": None, "items": [1, 2]},
        {"session_id": "c", "user_id": "u2", "items": [4, 4, 6]},
        {"session_id": "d", "user_id": "u1", "items": [7]},
    ]
    path = write_sessions(tmp_path / "s.parquet", sessions)
    cases = read_user_cases(path, most=10)
    assert cases.users == ("u1", "u2", "u1")
    assert cases.targets.tolist() == [5, 6, 7]
    assert read_user_cases(path, most=2).users == ("u1", "u2")


def test_ranks_are_those_of_a_loop_and_ties_count_against_the_target():
    rng = np.random.default_rng(0)
    rows = np.array([0, 2, 3, 5, 6, 9], dtype=np.int32)
    vectors = rng.integers(-1, 2, size=(3, 2)).astype(np.float32)
    factors = rng.integers(-1, 2, size=(6, 2)).astype(np.float32)  # many equal scores
    users = tuple(str(rng.integers(5)) for _ in range(60))
    targets = rng.integers(0, 10, size=60).astype(np.int32)
    known = {"0": 2, "1": 0, "3": 1}
    for block_bytes in (1, 1 << 20):
        ranks = user_ranks(
            UserCases(users, targets), known, vectors, (rows, factors), block_bytes=block_bytes
        )
        for rank, user, target in zip(ranks.tolist(), users, targets.tolist(), strict=True):
            if user not in known or target not in rows:
                assert rank == 0
                continue
            scores = factors @ vectors[known[user]]
            own = scores[np.flatnonzero(rows == target)[0]]
            assert rank == np.count_nonzero(scores >= own)
