"""Predictors that read or compile LightGBM's models, where they are installed.

Neither is a part of the project: `uv pip install treelite tl2cgen` brings both, the second one needs a
C compiler as well. lleaves, which compiles by LLVM, does not import beside a recent llvmlite.
"""

import importlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix

Predict = Callable[[FloatMatrix], NDArray[np.float64]]


def compiled_predictors(model: Path, folder: Path) -> Iterator[tuple[str, Predict]]:
    """Yield the name of each predictor that is installed, and its raw scores on one thread.

    Args:
        model: in LightGBM's text format.
        folder: takes what is compiled.
    """
    treelite = _installed("treelite")
    if treelite is None:
        return
    trees = treelite.frontend.load_lightgbm_model(model)
    yield "treelite", partial(_interpreted, treelite, trees)
    tl2cgen = _installed("tl2cgen")
    if tl2cgen is None:
        return
    library = folder / "trees.so"
    tl2cgen.export_lib(trees, toolchain="gcc", libpath=library, params={"parallel_comp": 8})
    yield "tl2cgen", partial(_compiled, tl2cgen, tl2cgen.Predictor(library, nthread=1))


def _installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _interpreted(treelite: Any, trees: Any, features: FloatMatrix) -> NDArray[np.float64]:
    found = treelite.gtil.predict(trees, features, nthread=1, pred_margin=True)
    return np.asarray(found, dtype=np.float64).reshape(-1)


def _compiled(tl2cgen: Any, predictor: Any, features: FloatMatrix) -> NDArray[np.float64]:
    found = predictor.predict(tl2cgen.DMatrix(features), pred_margin=True)
    return np.asarray(found, dtype=np.float64).reshape(-1)
