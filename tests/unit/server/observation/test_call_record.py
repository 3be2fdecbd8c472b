import asyncio

from artifacts.errors import UnknownItemError
from artifacts.relation import ScoreKind
from retrieval.answer import Answer, BatchAnswer, Outcome, Shortfall, ShortfallReason
from retrieval.candidates import Candidate, PlainList, Source
from server.observation.call_record import CALL, CallRecord, current_call


def candidate(row: int, source: Source) -> Candidate:
    return Candidate(row, 1.0, ScoreKind.COSINE, source, 1)


def test_answer_is_counted_by_source_and_by_what_it_lacks():
    mixed = [candidate(1, Source.LIVE), candidate(2, Source.LIVE), candidate(3, Source.HYBRID)]
    popular = PlainList([4, 5], [2.0, 1.0], ScoreKind.COUNT, Source.POPULAR)
    listed = PlainList([6, 7, 8], [0.9, 0.8, 0.7], ScoreKind.COSINE, Source.PRECOMPUTED)
    outcomes: list[Outcome] = [
        Answer(mixed, Shortfall(5, 3, ShortfallReason.EXHAUSTED)),
        Answer(popular, Shortfall(3, 2, ShortfallReason.FILTERED)),
        Answer(listed),
        Answer(()),
        UnknownItemError("no such item"),
    ]
    record = CallRecord()
    answer = BatchAnswer(outcomes, "offer_page", partial=True, degraded=True)
    assert record.note(answer) is answer
    assert record.sources == {
        Source.LIVE: 2,
        Source.HYBRID: 1,
        Source.POPULAR: 2,
        Source.PRECOMPUTED: 3,
    }
    assert record.shortfalls == {ShortfallReason.EXHAUSTED: 1, ShortfallReason.FILTERED: 1}
    assert (record.entries, record.failed, record.fallbacks) == (5, 1, 2)
    assert (record.partial, record.degraded) == (True, True)


def test_stage_has_a_start_and_a_length():
    record = CallRecord()
    record.spent("lookup", started_ns=0)
    assert record.starts == {"lookup": 0}
    assert record.stages["lookup"] > 0


async def test_each_task_has_its_own_record():
    async def call() -> CallRecord:
        record = CallRecord()
        CALL.set(record)
        await asyncio.sleep(0)
        assert current_call() is record
        return record

    first, second = await asyncio.gather(call(), call())
    assert first is not second


def test_call_that_nobody_observes_has_a_record_to_write_to():
    assert current_call().stages == {}
