"""FAISS behind a plain FastAPI app under uvicorn, as many a team writes it in an afternoon.

In its favour: it runs on uvloop and httptools, reads and writes JSON with orjson, validates nothing,
searches in the event loop (one core has no use for a pool of threads), and returns rows where a
product would look ids up.
"""

import socket
import time
from typing import Any

import numpy as np

from benchmarks.compare.engines import FaissEngine, reported
from benchmarks.compare.http_calls import HttpCalls, numbers_text
from benchmarks.compare.task import FloatMatrix, IntMatrix, Task, lightest, recall, releases

PATH = "/search"
KEEP_ALIVE_S = 3600
BATCH = 100


def message(queries: FloatMatrix, k: int) -> bytes:
    """Return the body of a call."""
    return f'{{"k":{k},"vectors":{numbers_text(queries)}}}'.encode()


def application(engine: FaissEngine) -> Any:
    """Return the app."""
    import orjson
    from fastapi import FastAPI, Request, Response

    async def search(request: Request) -> Response:
        asked = orjson.loads(await request.body())
        queries = np.array(asked["vectors"], dtype=np.float32)
        scores, rows = engine.scored(queries, asked["k"])
        answer = orjson.dumps({"rows": rows, "scores": scores}, option=orjson.OPT_SERIALIZE_NUMPY)
        return Response(answer, media_type="application/json")

    app = FastAPI()
    app.add_api_route(PATH, search, methods=["POST"], response_model=None)
    return app


def _rows(task: Task, port: int) -> IntMatrix:
    calls = HttpCalls(port)
    answers = [
        calls.call("POST", PATH, message(task.asked[start : start + BATCH], task.k))["rows"]
        for start in range(0, len(task.asked), BATCH)
    ]
    return np.concatenate([np.array(rows, dtype=np.int64) for rows in answers])


def main() -> None:
    """Build, tune and serve until the benchmark is done."""
    task = Task.read()
    with reported(task):
        import uvicorn

        begun = time.perf_counter()
        engine = FaissEngine(task.base, task.options["factory"])
        built_s = time.perf_counter() - begun
        app = application(engine)

    def recall_of(knob: int) -> float:
        engine.tune(knob)
        return recall(engine.search(task.tuning, task.k), task.tuning_truth)

    knob, _ = lightest(engine.knobs, recall_of, task.recall)
    engine.tune(knob)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_keep_alive=KEEP_ALIVE_S
    )
    server = uvicorn.Server(config)

    def report() -> None:
        task.ready(
            wire="http",
            port=port,
            path=PATH,
            build_s=built_s,
            knob=knob,
            recall=recall(_rows(task, port), task.asked_truth),
            versions=engine.versions | releases("fastapi", "uvicorn", "orjson"),
            messages={
                batch: [message(block, task.k) for block in task.blocks(batch)]
                for batch in task.batches
            },
        )
        task.wait_for_end()
        server.should_exit = True

    task.in_thread(report)
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()
