"""A worker with a supervisor: what is run with the number of the socket between the two."""

import asyncio
import logging
import signal
import socket
import sys

import uvloop

from artifacts.errors import ShelfmateError
from artifacts.versions import VersionedRoot
from server.app import Server, serve_until
from server.launch import Launch, Report
from server.observation.logs import set_up_logs

FAILED = 1
"""Exit code of a worker that told its supervisor why it cannot start."""


def main(number: int) -> int:
    """Serve until a signal comes or the supervisor dies, and return the exit code.

    Args:
        number: file descriptor of the socket that leads to the supervisor.
    """
    with socket.socket(fileno=number) as link:
        line = link.makefile("rb").readline()
        if not line:  # the supervisor died before it could say what to do
            return FAILED
        launch = Launch.model_validate_json(line)
        set_up_logs(launch.config.logs, level=launch.log_level, worker=launch.place.index)
        try:
            uvloop.run(_work(launch, link))
        except ShelfmateError as error:
            _tell(link, Report.of_error(error))
            return FAILED
    return 0


async def _work(launch: Launch, link: socket.socket) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def supervisor_gone() -> None:
        loop.remove_reader(link)
        stop.set()

    # Nothing more is sent this way: what there is to read is the end.
    loop.add_reader(link, supervisor_gone)
    server = Server(launch.config, launch.retrieval, VersionedRoot(launch.snapshots), launch.place)
    await serve_until(stop, server, lambda ports: _tell(link, Report(port=ports.public)))


def _tell(link: socket.socket, report: Report) -> None:
    try:
        link.sendall(report.model_dump_json().encode() + b"\n")
    except OSError:  # the supervisor is gone, which ends this worker by itself
        logging.getLogger(__name__).warning("supervisor gone")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
