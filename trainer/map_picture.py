"""A map as a picture."""

import io
import warnings
from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from trainer.map_groups import MapGroup

MARKERS = {"circle": "o", "diamond": "D", "triangle-up": "^", "square": "s"}
INCHES = (12.0, 9.0)
DOTS_PER_INCH = 120
POINT_AREA = 8.0


def map_picture(positions: NDArray[np.float64], groups: Sequence[MapGroup], heading: str) -> bytes:
    """Return a PNG of 1440 x 1080 dots; its legend has the groups in their order.

    Args:
        positions: (m, 2).
        groups: which points share a mark.
        heading: title of the picture.
    """
    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)  # draws without a display
    axes = figure.add_subplot()
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_axis_off()
    axes.set_title(heading, parse_math=False)
    for group in groups:
        x, y = positions[group.points].T
        axes.scatter(
            x, y, s=POINT_AREA, c=group.colour, marker=MARKERS[group.shape], alpha=0.75, lw=0
        )
    legend = axes.legend(
        [_key(group) for group in groups],
        # matplotlib leaves labels out that begin with an underscore.
        [f" {group.name}" for group in groups],
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    written = io.BytesIO()
    with warnings.catch_warnings():
        # A script that the font lacks shows as boxes, which is no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(written, format="png")
    return written.getvalue()


def _key(group: MapGroup) -> Line2D:
    marker = MARKERS[group.shape]
    return Line2D([], [], linestyle="none", marker=marker, color=group.colour, markersize=6)
