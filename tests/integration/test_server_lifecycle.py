"""Start, health, drain and refusal to start, with real processes."""

import asyncio
import shutil
import signal
import socket

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from artifacts.errors import ArtifactError, ConfigError
from artifacts.versions import VersionedRoot
from retrieval.config import RetrievalConfig, ServingConfig
from server.app import Server, serve
from server.config import ServerConfig
from shelfmate.client import Client, Options
from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc
from tests.serving import serving
from tests.shop import item_id

HEALTH = health_pb2.HealthCheckResponse
ADMIN = "shelfmate.v1.AdminService"
SERVICES = ["", "shelfmate.v1.RecommenderService", ADMIN]


@pytest.fixture
def channel(child):
    with grpc.insecure_channel(child.target) as channel:
        yield channel


@pytest.mark.parametrize("service", SERVICES)
def test_health_says_serving_once_a_snapshot_is_ready(channel, service):
    stub = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service=service)
    assert stub.Check(request, timeout=20).status == HEALTH.SERVING


def test_reflection_lists_and_describes_the_services_of_each_port(child, channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    further = {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert set(database.get_services()) == {"shelfmate.v1.RecommenderService", *further}
    with grpc.insecure_channel(child.admin_target) as admin:
        listed = ProtoReflectionDescriptorDatabase(admin).get_services()
        assert set(listed) == {"shelfmate.v1.AdminService", *further}
    file = database.FindFileContainingSymbol("shelfmate.v1.RecommenderService")
    assert file.name == "shelfmate/v1/recommender.proto"


async def test_listening_server_is_not_ready_before_it_has_loaded(tiny_snapshots, tiny_configs):
    server = Server(ServerConfig(port=0), tiny_configs, tiny_snapshots)
    ports = await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{ports.public}") as channel:
            health = health_pb2_grpc.HealthStub(channel)
            recommender = recommender_pb2_grpc.RecommenderServiceStub(channel)
            request = health_pb2.HealthCheckRequest()
            query = pb.RecommendSimilarRequest(requests=[pb.SimilarQuery(item_id=item_id(0))])
            watch = health.Watch(request)
            assert (await watch.read()).status == HEALTH.NOT_SERVING
            assert (await health.Check(request)).status == HEALTH.NOT_SERVING
            admin = health_pb2.HealthCheckRequest(service=ADMIN)
            assert (await health.Check(admin)).status == HEALTH.SERVING
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await recommender.RecommendSimilar(query)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            await server.load()
            assert (await watch.read()).status == HEALTH.SERVING
            assert (await recommender.RecommendSimilar(query)).outcomes
            watch.cancel()
    finally:
        await server.drain()


async def test_sigterm_finishes_calls_in_flight_and_refuses_new_ones(
    tiny_snapshots, tiny_configs, tmp_path
):
    heavy = pb.SearchNeighborsRequest(
        exact=True,
        relation=common.RELATION_CONTINUATIONS,
        defaults=common.AnswerOptions(k=200),
        requests=[pb.NeighborQuery(item_id=item_id(0))] * 1_000,
    )
    with serving(tiny_snapshots, tmp_path, tiny_configs, drain_s=60) as child:
        process = psutil.Process(child.process.pid)
        options = [("grpc.max_receive_message_length", -1)]
        async with grpc.aio.insecure_channel(child.target, options=options) as channel:
            stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            assert (await watch.read()).status == HEALTH.SERVING
            before = process.cpu_times().user
            call = stub.SearchNeighbors(heavy)
            while process.cpu_times().user < before + 0.05:  # until the server is at it
                await asyncio.sleep(0)
                assert not call.done(), "the call ended before the signal could be sent"
            child.terminate()
            assert (await watch.read()).status == HEALTH.NOT_SERVING
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.SearchNeighbors(heavy)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            response = await call
            assert len(response.outcomes) == 1_000
            assert all(o.HasField("recommendations") for o in response.outcomes)
        assert child.wait() == 0
        assert not (tmp_path / "port").exists()


def test_interrupt_stops_the_server_cleanly(tiny_snapshots, tiny_configs, tmp_path):
    with serving(tiny_snapshots, tmp_path, tiny_configs) as child:
        with Client(child.target, timeout_s=20) as client:
            assert client.similar([item_id(0)], Options(k=1)).outcomes
        child.terminate(signal.SIGINT)
        assert child.wait() == 0


def test_port_in_use_is_refused_even_by_another_server(child, tiny_snapshots, tiny_configs):
    with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{child.port} cannot be bound"):
        serve(ServerConfig(port=child.port), tiny_configs, tiny_snapshots)


def test_port_held_by_a_plain_listener_is_refused(tiny_snapshots, tiny_configs):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match="choose another port"):
            serve(ServerConfig(port=port), tiny_configs, tiny_snapshots)


def test_unknown_host_is_refused(tiny_snapshots, tiny_configs):
    config = ServerConfig(host="256.0.0.1.invalid", port=0)
    with pytest.raises(ConfigError, match="cannot be"):
        serve(config, tiny_configs, tiny_snapshots)


def test_missing_snapshot_names_the_command_that_makes_one(tmp_path, tiny_configs):
    with pytest.raises(ArtifactError, match="shelfmate publish"):
        serve(ServerConfig(port=0), tiny_configs, VersionedRoot(tmp_path / "nothing"))


def test_damaged_snapshot_is_refused_at_start(tiny_snapshots, tiny_configs, tmp_path):
    root = VersionedRoot(tmp_path / "snapshots")
    shutil.copytree(tiny_snapshots.root, root.root)
    vectors = root.path(tiny_snapshots.current_id()) / "spaces" / "cf" / "vectors.npy"
    data = bytearray(vectors.read_bytes())
    data[len(data) // 2] ^= 1
    vectors.write_bytes(data)
    with pytest.raises(ArtifactError, match=r"vectors\.npy: content differs from its checksum"):
        serve(ServerConfig(port=0), tiny_configs, root, port_file=tmp_path / "port")
    assert not (tmp_path / "port").exists()


def test_serving_config_for_a_space_that_is_not_there_is_refused(tiny_snapshots):
    configs = RetrievalConfig(serving={"pictures": ServingConfig(space="image")})
    with pytest.raises(ConfigError, match=r"\[serving\.pictures\].*'image'"):
        serve(ServerConfig(port=0), configs, tiny_snapshots)
