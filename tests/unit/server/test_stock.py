import asyncio
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from artifacts.errors import StorageError
from server.availability_store import STORE_NAME, StockChange
from server.stock import Stock
from tests.host_worker import HostWorker, copy_of
from tests.patience import until


@pytest.fixture
async def host(two_nights, tmp_path):
    copy_of(two_nights, tmp_path)
    host = HostWorker.make(tmp_path)
    await host.swapper.start()
    yield host
    host.swapper.close()


def out_of_stock(host: HostWorker) -> list[int]:
    assert host.worker.activation is not None
    state = host.worker.activation.recommender.state
    return np.flatnonzero(state.availability.out_of_stock).tolist()


async def test_update_is_in_effect_at_once_where_it_was_received(host):
    stock = Stock(host.store, host.worker)
    assert await stock.update([StockChange("item-0003", False, 1), StockChange("new", False, 1)])
    assert out_of_stock(host) == [3]
    await stock.update([StockChange("item-0003", True, 0), StockChange("item-0004", False, 1)])
    assert out_of_stock(host) == [3, 4]
    stock.close()


async def test_what_another_worker_wrote_is_followed(host, tmp_path):
    other = HostWorker.make(tmp_path, index=1)
    stock = Stock(host.store, host.worker)
    following = asyncio.ensure_future(stock.follow())
    other.store.apply([StockChange("item-0009", False, 1)])
    await until(lambda: out_of_stock(host) == [9])
    other.store.apply([StockChange("item-0009", True, 2)])
    await until(lambda: out_of_stock(host) == [])
    following.cancel()
    other.close()
    stock.close()


async def test_store_that_cannot_be_read_is_followed_again_when_it_can(host, tmp_path, caplog):
    stock = Stock(host.store, host.worker)
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as vandal:
        vandal.execute("ALTER TABLE items RENAME TO elsewhere")
    with pytest.raises(StorageError, match="could not be written"):
        await stock.update([StockChange("item-0001", False, 1)])
    following = asyncio.ensure_future(stock.follow())
    await until(lambda: "stock not followed" in caplog.text)
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as vandal:
        vandal.execute("ALTER TABLE elsewhere RENAME TO items")
    host.store.apply([StockChange("item-0002", False, 1)])
    await until(lambda: out_of_stock(host) == [2])
    assert caplog.text.count("stock not followed") == 1
    following.cancel()
    stock.close()
