"""What the measurements share: a broker, the two consumers, the flood, figures of a process. Standard library only."""

import contextlib
import http.client
import json
import mmap
import os
import signal
import socket
import struct
import subprocess
import time

PATIENCE_SECONDS = 60
POLL_SECONDS = 0.04
STATIONS_FILE = "{}/stations.yaml"
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Trouble(Exception):
    """A measurement that could not be made, in words."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, seconds=PATIENCE_SECONDS, pause=0.02):
    """Waits for something to become true; says what did not."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Trouble(f"{what} after {seconds} s")
        time.sleep(pause)


def cpu_seconds(pid):
    """User and system time of all threads of a process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def memory_bytes(pid, name="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    raise Trouble(f"/proc/{pid}/status has no {name}")


def run(*arguments):
    """Runs a program to its end and returns what it printed."""
    command = [str(part) for part in arguments]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode != 0:
        name = os.path.basename(command[0])
        raise Trouble(f"{name} {command[1]} ended with {result.returncode}: {result.stderr.strip()[-500:]}")
    return result.stdout


class Process:
    """A program that is stopped when its `with` block ends; what it says goes to a file."""

    def __init__(self, arguments, log):
        self.log = log
        with open(log, "wb") as output:
            self.child = subprocess.Popen(
                [str(part) for part in arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def pid(self):
        return self.child.pid

    @property
    def is_running(self):
        return self.child.poll() is None

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def check_running(self):
        if not self.is_running:
            raise Trouble(f"{self.child.args[0]} ended with {self.child.returncode}:\n{self.said()[-2000:]}")

    def stop(self, number=signal.SIGTERM):
        if self.is_running:
            self.child.send_signal(number)
        try:
            self.child.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


BROKER_CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
user {user}
persistence true
persistence_location {directory}/
autosave_interval 0
max_inflight_messages 10000
max_queued_messages 10000000
max_queued_bytes 0
sys_interval 10
log_dest stderr
log_type error
log_type warning
"""


def start_broker(directory, user):
    """A mosquitto of its own. Saving its queue while it is measured would measure the saving (autosave_interval 0)."""
    port = free_port()
    configuration = os.path.join(directory, "mosquitto.conf")
    with open(configuration, "w", encoding="utf-8") as file:
        file.write(BROKER_CONFIGURATION.format(port=port, directory=directory, user=user))
    broker = Process(["mosquitto", "-c", configuration], os.path.join(directory, "mosquitto.log"))
    broker.port = port

    def answers():
        broker.check_running()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    wait_until(answers, "the broker does not answer")
    return broker


class Discarding(Process):
    """The peer: a subscriber that acknowledges everything and keeps nothing."""

    def __init__(self, programs, directory, broker_port):
        counter = os.path.join(directory, "discarded")
        super().__init__([programs.discard, broker_port, counter], os.path.join(directory, "discard.log"))
        wait_until(lambda: self.is_ready(), "the discarding subscriber is not ready")
        self.file = open(counter, "rb")
        self.counter = mmap.mmap(self.file.fileno(), 8, prot=mmap.PROT_READ)

    def is_ready(self):
        self.check_running()
        return "ready" in self.said()

    def received(self):
        return struct.unpack("Q", self.counter[:8])[0]


class Service(Process):
    """`quantrac serve` on a store of its own."""

    def __init__(self, programs, directory, broker_port, settings=None, store=None):
        self.programs = programs
        self.store = store or os.path.join(directory, "quantrac.db")
        self.http_port = free_port()
        self.configuration = os.path.join(directory, "quantrac.json")
        self.connection = None
        with open(self.configuration, "w", encoding="utf-8") as file:
            json.dump(self.all_settings(broker_port, settings or {}), file)
        if not store:
            run(programs.quantrac, "station", "import", STATIONS_FILE.format(directory), "--config", self.configuration)
        self.started = time.monotonic()
        super().__init__(
            [programs.quantrac, "serve", "--config", self.configuration], os.path.join(directory, "quantrac.log")
        )
        wait_until(self.is_ready, "the service is not ready", pause=0.01)
        self.seconds_to_ready = time.monotonic() - self.started

    def all_settings(self, broker_port, settings):
        store = {"path": self.store, "reserveBytes": 0}
        store.update(settings.get("store", {}))
        return {
            "broker": {"host": "127.0.0.1", "port": broker_port, "clientID": "bench"},
            "store": store,
            "http": {"host": "127.0.0.1", "port": self.http_port},
            "log": {"level": "warning"},
        }

    def is_ready(self):
        self.check_running()
        try:
            return self.get("/healthz")[0] == 200 and self.metric("quantrac_broker_connected") == 1
        except OSError:
            return False

    def get(self, path):
        """Status and body, over one connection that is kept."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=30)
        try:
            self.connection.request("GET", path)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as problem:
            self.connection.close()
            self.connection = None
            raise OSError(str(problem)) from problem

    def metric(self, name):
        for line in self.get("/metrics")[1].decode("utf-8").splitlines():
            if line.startswith(name + " "):
                return float(line.rpartition(" ")[2])
        raise Trouble(f"/metrics has no {name}")

    def received(self):
        return int(self.metric("quantrac_messages_received_total"))


def write_stations(directory, stations, values, interval_seconds):
    """The stations that `flood` speaks for."""
    parameters = ", ".join(f"{{id: P{number:02}, unit: '1'}}" for number in range(values))
    with open(STATIONS_FILE.format(directory), "w", encoding="utf-8") as file:
        file.write("sites:\n  - {id: bench, name: Benchmark (DEMO), kind: ambient-air, stations: [\n")
        for number in range(stations):
            file.write(
                f"    {{id: b-{number:04}, name: Station {number}, interval: {interval_seconds}s, "
                f"parameters: [{parameters}]}},\n"
            )
        file.write("    ]}\n")


def flood(programs, directory, broker_port, consumer, load):
    """Sends a load and returns messages a second, as the consumer sees them, and its CPU seconds."""
    first = int(time.time() * 1000) - load.messages // load.stations * load.interval_seconds * 1000
    before = cpu_seconds(consumer.pid)
    points = []
    arguments = [programs.flood, broker_port, load.stations, load.values, load.messages, first]
    with Process(arguments + [load.interval_seconds * 1000], os.path.join(directory, "flood.log")) as publisher:
        stands, moved = 0, time.monotonic()
        while stands < load.messages:
            now = time.monotonic()
            seen = consumer.received()
            if seen > stands:
                stands, moved = seen, now
                points.append((now, seen))
            elif now - moved > PATIENCE_SECONDS:
                raise Trouble(f"only {stands} of {load.messages} messages arrived; {publisher.said()[-500:]}")
            time.sleep(POLL_SECONDS)
    cpu = cpu_seconds(consumer.pid) - before
    # Between the first look that saw messages and the last one before the end: how long before or after a look
    # the first and the last message came is not known.
    points = [point for point in points if point[1] < load.messages] or points
    (then, few), (now, many) = points[0], points[-1]
    if now <= then:
        raise Trouble("too few messages to measure: it was over between two looks")
    return (many - few) / (now - then), cpu
