from indexer.tuning.earlier_choice import EarlierChoice
from indexer.tuning.exam import MACHINE_CLOCKS, Clocks, Question
from indexer.tuning.report import TuningReport
from indexer.tuning.tuner import Tuned, TuningTask, tune

__all__ = [
    "MACHINE_CLOCKS",
    "Clocks",
    "EarlierChoice",
    "Question",
    "Tuned",
    "TuningReport",
    "TuningTask",
    "tune",
]
