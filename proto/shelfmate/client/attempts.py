"""The attempts of one call."""

import time

import grpc

from shelfmate.client.call_error import CallError, call_error, held_back, retry_after_s
from shelfmate.client.restraint import Restraint


class Attempts:
    """Says when a call is sent, and whether it is sent again.

    All decisions of a call's life are made here; what is left to the two flavours of channels is to
    send and to wait.

    Args:
        restraint: shared by all calls of a client.
        timeout_s: seconds until the answer has to be there, waiting included.
    """

    def __init__(self, restraint: Restraint, timeout_s: float) -> None:
        self._restraint = restraint
        self._until = time.monotonic() + timeout_s
        self._sent = 0

    @property
    def left_s(self) -> float:
        """Seconds until the answer has to be there."""
        return self._until - time.monotonic()

    def wait_s(self) -> float:
        """Return the seconds until the next attempt is to be sent.

        Raises:
            CallError: its turn would not come in time.
        """
        wait_s = self._restraint.wait_s(self.left_s)
        if wait_s is None:
            raise CallError(held_back())
        self._sent += 1
        return wait_s

    def answered(self) -> None:
        """Note that the attempt was answered."""
        self._restraint.answered()

    def pause_s(self, failed: grpc.RpcError) -> float:
        """Note that the attempt failed, and return the seconds to wait before the next one.

        Raises:
            CallError: the call failed for good.
        """
        pause_s = self._again_s(failed)
        if pause_s is None or pause_s >= self.left_s:
            raise call_error(failed) from failed
        return pause_s

    def _again_s(self, failed: grpc.RpcError) -> float | None:
        asked_s = retry_after_s(failed)
        if asked_s is None:
            self._restraint.answered()
            return None
        shed = failed.code() is not grpc.StatusCode.UNAVAILABLE
        return self._restraint.again_s(self._sent, asked_s, shed=shed)
