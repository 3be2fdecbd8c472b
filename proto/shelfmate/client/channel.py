"""How the clients' channels behave."""

import json

from shelfmate.client.access import Access

SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [
                {"service": "shelfmate.v1.RecommenderService"},
                {"service": "shelfmate.v1.AdminService", "method": "GetServingStatus"},
                {"service": "shelfmate.v1.AdminService", "method": "ListSnapshots"},
            ],
            "retryPolicy": {
                "maxAttempts": 3,
                "initialBackoff": "0.05s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    # A retry needs more than half of the tokens, so 500 calls may fail at once, as they do when a
    # worker dies, before retries stop. A success pays a tenth of a failure back.
    "retryThrottling": {"maxTokens": 1000, "tokenRatio": 0.1},
}
"""Retries of calls that no server worked on; those that change something are never repeated."""

DEFAULT_TIMEOUT_S = 1.0
"""Deadline of calls that set none."""

MAX_RESPONSE_BYTES = 64 << 20
"""Room for the largest answers: 1,000 entries of 1,000 items."""

CHANNEL_OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    ("grpc.max_receive_message_length", MAX_RESPONSE_BYTES),
    # A worker that dies while a connection is being made leaves nobody to wait for: the next one
    # may answer at once, and calls are tried again sooner than after gRPC's second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # A server may be gone without a word, such as by a cable. Without this, calls would be sent to it
    # until the kernel gives up, a quarter of an hour later; our servers allow it twice as often.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
)

OWN_CONNECTION = ("grpc.use_local_subchannel_pool", 1)


def channel_options(connections: int, access: Access) -> tuple[tuple[str, str | int], ...]:
    """Return the options of one of several channels to the same target.

    Channels with equal options would share one connection, unless each is told to have its own.
    """
    options = (*CHANNEL_OPTIONS, *access.options)
    return options if connections == 1 else (*options, OWN_CONNECTION)
