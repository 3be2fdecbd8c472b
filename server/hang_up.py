"""Ends connections in a way that callers understand; see docs/adr/0023.

gRPC offers no way to end connections but to stop its server, which cancels what still arrives, and
CANCELLED is what callers are told who changed their mind: nobody sends such a call again. So it is done
below gRPC, with the sockets of this process that belong to its ports. Where there is no /proc, as outside
of Linux, nothing is done.
"""

import contextlib
import os
import socket
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

DESCRIPTORS = Path("/proc/self/fd")


def stop_listening(ports: Collection[int]) -> None:
    """Take no further connections: other workers of the port get them, or they are refused at once.

    The descriptors stay gRPC's, to close when it stops; a socket that listens to nothing is put in the
    place of each.

    Args:
        ports: where this process listens.
    """
    for number, found in _sockets(ports):
        if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            with socket.socket(found.family, found.type) as deaf:
                os.dup2(deaf.fileno(), number, inheritable=False)


def hang_up(ports: Collection[int]) -> None:
    """End the connections of callers; what was written to them still arrives.

    Whoever waits for an answer by one of them is told UNAVAILABLE. Callers close in turn, and gRPC sees
    them go.

    Args:
        ports: where this process listens.
    """
    for _, found in _sockets(ports):
        with contextlib.suppress(OSError):  # not connected any more
            found.shutdown(socket.SHUT_WR)


def _sockets(ports: Collection[int]) -> Iterator[tuple[int, socket.socket]]:
    """Give the sockets of ports by descriptor, each as a duplicate that is closed afterwards.

    A number may be given to something else at any time; a duplicate stays what it is.
    """
    if not DESCRIPTORS.is_dir():
        return
    for entry in list(DESCRIPTORS.iterdir()):
        number = int(entry.name)
        with contextlib.suppress(OSError):  # gone meanwhile
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            with socket.socket(fileno=os.dup(number)) as found:
                is_tcp = found.family in (socket.AF_INET, socket.AF_INET6)
                if is_tcp and found.getsockname()[1] in ports:
                    yield number, found
