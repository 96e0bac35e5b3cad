"""A backlog on …/history while live messages come: how long it takes, and how long what happens now has to wait."""

import json
import os
import socket
import statistics
import struct
import tempfile
import time

import ingest
import machinery
from report import Row

VALUES = 50
STATIONS = 100
# The row of the design is 52 M readings; BENCH_BACKLOG=52000000 measures it (about 1.2 GB of broker).
READINGS = 2_000_000
PROBE_PAUSE_SECONDS = 0.05
LIVE_STATION = "b-0000"


class LiveStation:
    """Publishes one reading at a time, QoS 1, over a socket of its own."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = b"bench-live"
        self.socket.sendall(b"\x10" + bytes([12 + len(name)]) + b"\0\4MQTT\4\2\0\x3c" + struct.pack(">H", len(name)) + name)
        if self.take(4)[3] != 0:
            raise machinery.Trouble("the broker refused the live station")
        self.identifier = 0

    def take(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise machinery.Trouble("the broker hung up on the live station")
            data += part
        return data

    def publish(self, milliseconds, value):
        topic = f"quantrac/v1/{LIVE_STATION}/telemetry".encode()
        payload = json.dumps({"ts": milliseconds, "values": {"P00": value}}).encode()
        self.identifier = self.identifier % 60000 + 1
        body = struct.pack(">H", len(topic)) + topic + struct.pack(">H", self.identifier) + payload
        self.socket.sendall(b"\x32" + bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body)
        self.take(4)


def is_visible(service, milliseconds):
    path = f"/api/v1/series/{LIVE_STATION}/P00?level=raw&from={milliseconds}&to={milliseconds + 1}"
    status, body = service.get(path)
    if status != 200:
        raise machinery.Trouble(f"{path}: {status} {body[:200]}")
    return len(json.loads(body)["rows"]) > 0


def probe(service, station, waits):
    """From publishing to being served."""
    milliseconds = int(time.time() * 1000)
    started = time.monotonic()
    station.publish(milliseconds, 20.5)
    while not is_visible(service, milliseconds):
        if time.monotonic() - started > machinery.PATIENCE_SECONDS:
            raise machinery.Trouble("a live reading was not served in a minute")
        time.sleep(0.002)
    waits.append(time.monotonic() - started)
    time.sleep(PROBE_PAUSE_SECONDS)


def backlog(bench):
    readings = int(os.environ.get("BENCH_BACKLOG", READINGS))
    messages = readings // VALUES // STATIONS * STATIONS
    load = ingest.Load(STATIONS, VALUES, messages)
    with tempfile.TemporaryDirectory(prefix="quantrac-bench-", dir=bench.scratch) as directory:
        with machinery.start_broker(directory, bench.user) as broker:
            machinery.write_stations(directory, STATIONS, VALUES, load.interval_seconds)
            service = machinery.Service(bench.programs, directory, broker.port)
            with service:
                machinery.wait_until(
                    lambda: service.metric("quantrac_history_connected") == 1, "no session for the backlog"
                )
            # The session stays at the broker, and what is published now waits for it.
            first = int(time.time() * 1000) - (messages // STATIONS + 100) * load.interval_seconds * 1000
            machinery.run(
                bench.programs.flood, broker.port, STATIONS, VALUES, messages, first, load.interval_seconds * 1000,
                "history",
            )
            bench.say(f"backlog: {messages:,} messages wait at the broker, {broker_megabytes(broker):.0f} MB")
            waits = []
            service = machinery.Service(bench.programs, directory, broker.port, store=service.store)
            with service:
                station = LiveStation(broker.port)
                started = time.monotonic()
                while service.metric("quantrac_messages_history_total") < messages:
                    probe(service, station, waits)
                seconds = time.monotonic() - started
                rss = machinery.memory_bytes(service.pid, "VmHWM")
            broker_rss = machinery.memory_bytes(broker.pid, "VmHWM")
    if len(waits) < 2:
        raise machinery.Trouble("the backlog was through before a live reading could be timed: raise BENCH_BACKLOG")
    centiles = statistics.quantiles(waits, n=100, method="inclusive")
    measured = (
        f"{messages * VALUES / 1e6:.1f} M readings in {seconds:.1f} s; live p50 {centiles[49] * 1e3:.0f} ms, "
        f"p99 {centiles[98] * 1e3:.0f} ms of {len(waits)}; {rss / 1e6:.0f} MB, broker {broker_rss / 1e6:.0f} MB"
    )
    return [
        Row(
            "backlog", "backlog on …/history with live readings beside it", measured,
            "one session: live waits for all of it", "live p99 < 1 s", centiles[98] < 1,
            {
                "readings": messages * VALUES, "seconds": seconds, "live_seconds": waits, "rss_bytes": rss,
                "broker_rss_bytes": broker_rss,
            },
        )
    ]


def broker_megabytes(broker):
    return machinery.memory_bytes(broker.pid) / 1e6
