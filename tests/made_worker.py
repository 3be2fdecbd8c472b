"""A worker that serves nothing: what a supervisor sees of one, without gRPC and snapshots.

Run as `made_worker.py <folder> <behaviour> <socket>`; leaves a file named by its place and its pid.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path

BELL = "bell"
"""A pipe below the folder, by which whoever waits for a worker's file need not look for it."""


def ring(bell: Path) -> None:
    descriptor = os.open(bell, os.O_RDWR | os.O_NONBLOCK)
    os.write(descriptor, b".")
    os.close(descriptor)


def main() -> int:
    folder, behaviour, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    link = socket.socket(fileno=number)
    place = json.loads(link.makefile().readline())["place"]["index"]
    earlier = list(folder.glob(f"{place}-*"))
    (folder / f"{place}-{os.getpid()}").touch()
    ring(folder / BELL)
    if behaviour == "dies":
        return 9
    if behaviour == "refuses" and place == 1:
        link.sendall(b'{"error": "ArtifactError", "message": "vectors.npy: damaged"}\n')
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if behaviour == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    link.sendall(b'{"port": 1}\n')
    if behaviour == "dies-once" and not earlier:
        os.kill(os.getpid(), signal.SIGKILL)
    link.recv(1)  # until the supervisor is gone
    return 0


if __name__ == "__main__":
    sys.exit(main())
