"""Charts of a study: how it went, and which settings mattered."""

import io
from dataclasses import dataclass
from pathlib import Path

import optuna
import plotly.graph_objects as go
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from artifacts.folders import write_file

INCHES = (9.0, 5.0)
DOTS_PER_INCH = 120
FEWEST = 2
"""Complete trials without which nothing can be said about importance."""


@dataclass(frozen=True, slots=True)
class StudyCharts:
    """What `write_study_charts` wrote; importance is None where the trials tell nothing about it."""

    history: Path
    """HTML; a PNG of the same stem stands beside it."""
    importance: Path | None
    """The same, of the settings."""


def write_study_charts(study: optuna.Study, folder: Path, *, metric: str = "MRR") -> StudyCharts:
    """Draw `history` and `importance` in `folder`, each as page and as picture.

    Args:
        study: with at least one complete trial.
        folder: an existing or new folder; older charts are replaced.
        metric: what scores are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    history = folder / "history.html"
    page = optuna.visualization.plot_optimization_history(study, target_name=metric)
    _write_page(history, page)
    write_file(history.with_suffix(".png"), _history_picture(study, metric))
    weights = importances(study)
    if not weights:
        return StudyCharts(history, None)
    importance = folder / "importance.html"
    figure = optuna.visualization.plot_param_importances(study)
    _write_page(importance, figure)
    write_file(importance.with_suffix(".png"), _importance_picture(weights))
    return StudyCharts(history, importance)


def importances(study: optuna.Study) -> dict[str, float]:
    """Return the share of each setting in the variance of scores, greatest first.

    Empty where fewer than two trials are complete or all of them score the same.
    """
    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len(complete) < FEWEST or len({trial.value for trial in complete}) < FEWEST:
        return {}
    return dict(optuna.importance.get_param_importances(study))


def _write_page(path: Path, figure: go.Figure) -> None:
    write_file(path, figure.to_html(include_plotlyjs=True, full_html=True).encode())


def _history_picture(study: optuna.Study, metric: str) -> bytes:
    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    numbers = [trial.number for trial in complete]
    scores = [float(trial.value or 0.0) for trial in complete]
    figure, best = _figure(), [max(scores[: place + 1]) for place in range(len(scores))]
    axes = figure.add_subplot()
    axes.scatter(numbers, scores, s=12, label="trial")
    axes.step(numbers, best, where="post", color="tab:red", label="best so far")
    axes.set_xlabel("trial")
    axes.set_ylabel(metric)
    axes.legend(frameon=False)
    return _png(figure)


def _importance_picture(weights: dict[str, float]) -> bytes:
    figure = _figure()
    axes = figure.add_subplot()
    names = list(weights)[::-1]
    axes.barh(range(len(names)), [weights[name] for name in names])
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("share in the variance of scores")
    return _png(figure)


def _figure() -> Figure:
    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)  # draws without a display
    return figure


def _png(figure: Figure) -> bytes:
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()
