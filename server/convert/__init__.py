from server.convert.requests import (
    Converted,
    neighbor_batch,
    session_batch,
    similar_batch,
    user_batch,
)
from server.convert.responses import (
    Report,
    answer_bytes,
    items_response,
)
from server.convert.serving_status import serving_status

__all__ = [
    "Converted",
    "Report",
    "answer_bytes",
    "items_response",
    "neighbor_batch",
    "serving_status",
    "session_batch",
    "similar_batch",
    "user_batch",
]
