from server.convert.requests import Converted, neighbor_batch, similar_batch
from server.convert.responses import (
    Report,
    items_response,
    neighbor_response,
    similar_response,
)
from server.convert.serving_status import serving_status

__all__ = [
    "Converted",
    "Report",
    "items_response",
    "neighbor_batch",
    "neighbor_response",
    "serving_status",
    "similar_batch",
    "similar_response",
]
