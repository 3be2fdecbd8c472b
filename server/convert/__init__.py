from server.convert.ranking import rerank_batch, rerank_bytes
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
    "rerank_batch",
    "rerank_bytes",
    "serving_status",
    "session_batch",
    "similar_batch",
    "user_batch",
]
