"""A map as a page that can be explored: one file, no network."""

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from trainer.map_groups import MapGroup

LONGEST_LABEL = 80
"""Characters of a title that are shown; the page grows with them."""


def map_page(
    positions: NDArray[np.float64],
    groups: Sequence[MapGroup],
    labels: Sequence[str],
    heading: str,
) -> str:
    """Return HTML with the plotting library inside; the title of an item shows on hover.

    Args:
        positions: (m, 2).
        groups: which points share a mark.
        labels: m titles; they are shown as they are, markup in them included.
        heading: title of the page.
    """
    figure = go.Figure([_trace(positions, group, labels) for group in groups])
    hidden = {"visible": False}
    figure.update_layout(
        title=html.escape(heading),
        template="plotly_white",
        xaxis=hidden,
        # One unit is as long in both directions, or clusters look flatter than they are.
        yaxis=hidden | {"scaleanchor": "x"},
        legend={"itemsizing": "constant"},
        hoverlabel={"align": "left"},
        margin={"l": 10, "r": 10, "t": 50, "b": 10},
    )
    page: str = figure.to_html(
        include_plotlyjs=True,
        full_html=True,
        div_id="map",
        default_height="95vh",
        config={"responsive": True, "displaylogo": False, "scrollZoom": True},
    )
    return page


def _trace(positions: NDArray[np.float64], group: MapGroup, labels: Sequence[str]) -> go.Scattergl:
    x, y = positions[group.points].astype(np.float32).T
    return go.Scattergl(
        x=x,
        y=y,
        mode="markers",
        name=html.escape(_short(group.name)),
        text=[html.escape(_short(labels[point])) for point in group.points],
        hovertemplate="%{text}<extra>%{fullData.name}</extra>",
        marker={"color": group.colour, "symbol": group.shape, "size": 5, "opacity": 0.75},
    )


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
