from server.convert.requests import (
    Converted,
    neighbor_batch,
    session_batch,
    similar_batch,
    user_batch,
)
from server.convert.responses import (
    Report,
    items_response,
    neighbor_response,
    session_response,
    similar_response,
    user_response,
)
from server.convert.serving_status import serving_status

__all__ = [
    "Converted",
    "Report",
    "items_response",
    "neighbor_batch",
    "neighbor_response",
    "serving_status",
    "session_batch",
    "session_response",
    "similar_batch",
    "similar_response",
    "user_batch",
    "user_response",
]
