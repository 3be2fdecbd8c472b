from benchmarks.results import read_results
from benchmarks.serving_record import ServingRecord
from benchmarks.worker_memory import Memory, memory_bars

ROLLUP = """\
55d0c0a00000-7ffd2a5fe000 ---p 00000000 00:00 0                          [rollup]
Rss:              400000 kB
Pss:              210000 kB
Pss_Dirty:         20000 kB
Shared_Clean:     330000 kB
Shared_Dirty:          0 kB
Private_Clean:     30000 kB
Private_Dirty:     40000 kB
Private_Hugetlb:       0 kB
SwapPss:               0 kB
"""


def test_memory_is_read_from_the_kernels_report():
    assert Memory.of_rollup(ROLLUP) == Memory(resident=400_000 << 10, private=70_000 << 10)


def test_worst_further_worker_is_held_against_the_first_ones_resident_set(tmp_path):
    path = tmp_path / "results.jsonl"
    held = [Memory(1_000, 500), Memory(900, 100), Memory(800, 160)]
    share, ready = memory_bars("ivf", held, [4.0, 6.0, 5.0], ServingRecord(path, "made", 30))
    assert (share.value, share.met) == (0.16, False)
    assert (ready.value, ready.met) == (5.0, True)
    kept = read_results(path)
    assert kept[0].metrics["private_bytes"] == 160
    assert kept[0].metrics["slowest_ready_s"] == 6.0
