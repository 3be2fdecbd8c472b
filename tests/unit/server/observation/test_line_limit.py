from server.observation.line_limit import LineLimit


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_second_s_worth_of_lines_comes_at_once_and_more_as_time_goes_by():
    clock = Clock()
    limit = LineLimit(3, clock)
    assert [limit.take() for _ in range(5)] == [0, 0, 0, None, None]
    clock.now += 0.5
    assert limit.take() == 2
    assert limit.take() is None
    clock.now += 60
    assert [limit.take() for _ in range(4)] == [1, 0, 0, None]


def test_rare_lines_come_all():
    clock = Clock()
    limit = LineLimit(0.5, clock)
    for _ in range(10):
        assert limit.take() == 0
        clock.now += 2
