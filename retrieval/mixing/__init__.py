from retrieval.mixing.calibration import Calibration
from retrieval.mixing.method import Mixing
from retrieval.mixing.mix import MixingRules, mix
from retrieval.mixing.weighted_list import Pick, WeightedList

__all__ = ["Calibration", "Mixing", "MixingRules", "Pick", "WeightedList", "mix"]
