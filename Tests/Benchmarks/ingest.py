"""The ingest rows: the service beside a subscriber that discards everything, in turns, on fresh brokers and stores."""

import statistics
import tempfile
from dataclasses import dataclass

import machinery
from report import Row

STATIONS = 400
# A series gets some hundred readings before the head is full, as when a province sends its backlog.
SUSTAINED_STATIONS = 100
# In the rows without merges a series gets fewer readings than make a merge due, and the head has room for all of them.
MESSAGES_WITHOUT_MERGES = 160_000
ROOMY_HEAD = {"store": {"headBytes": 1 << 30}}


@dataclass
class Load:
    stations: int
    values: int
    messages: int
    interval_seconds: int = 10


@dataclass
class Side:
    """What one run of a consumer gave."""

    messages_a_second: float
    cpu_seconds: float
    rss_bytes: int


def run_side(bench, load, settings):
    """One run; `settings` of the service, or None for the discarding subscriber."""
    with tempfile.TemporaryDirectory(prefix="quantrac-bench-", dir=bench.scratch) as directory:
        with machinery.start_broker(directory, bench.user) as broker:
            if settings is None:
                consumer = machinery.Discarding(bench.programs, directory, broker.port)
            else:
                machinery.write_stations(directory, load.stations, load.values, load.interval_seconds)
                consumer = machinery.Service(bench.programs, directory, broker.port, settings)
            with consumer:
                rate, cpu = machinery.flood(bench.programs, directory, broker.port, consumer, load)
                return Side(rate, cpu, machinery.memory_bytes(consumer.pid))


def run_pairs(bench, what, load, settings, pairs):
    """Alternates service and peer; the one that goes first changes from pair to pair."""
    results = []
    for number in range(pairs):
        sides = {}
        for name in ("ours", "peer") if number % 2 == 0 else ("peer", "ours"):
            sides[name] = run_side(bench, load, settings if name == "ours" else None)
        bench.say(
            f"{what}: pair {number + 1} of {pairs}: {sides['ours'].messages_a_second:,.0f} msg/s, "
            f"discarding {sides['peer'].messages_a_second:,.0f} msg/s; "
            f"CPU {sides['ours'].cpu_seconds:.2f} s and {sides['peer'].cpu_seconds:.2f} s"
        )
        results.append((sides["ours"], sides["peer"]))
    return results


def spread(ratios, form):
    return f"{form.format(statistics.median(ratios))} ({form.format(min(ratios))}–{form.format(max(ratios))})"


def rate_row(name, title, pairs, load, goal):
    ratios = [ours.messages_a_second / peer.messages_a_second for ours, peer in pairs]
    median = statistics.median(ratios)
    ours = statistics.median(side.messages_a_second for side, _ in pairs)
    peer = statistics.median(side.messages_a_second for _, side in pairs)
    cpu = statistics.median(side.cpu_seconds for side, _ in pairs) / (load.messages * load.values) * 1e6
    measured = f"{spread(ratios, '{:.2f}')} of it: {ours:,.0f} msg/s, {ours * load.values / 1e6:.2f} M readings/s"
    return Row(
        name, title, measured,
        f"discarding: {peer:,.0f} msg/s", f"≥ {goal}", median >= goal,
        {
            "ratios": ratios, "messages_a_second": ours, "peer_messages_a_second": peer,
            "cpu_seconds_a_million_readings": cpu, "rss_bytes": max(side.rss_bytes for side, _ in pairs),
            "messages": load.messages, "values_a_message": load.values,
        },
    )


def cpu_row(pairs, load):
    ratios = [ours.cpu_seconds / peer.cpu_seconds for ours, peer in pairs]
    hundred_thousands = load.messages / 1e5
    ours = statistics.median(side.cpu_seconds for side, _ in pairs) / hundred_thousands
    peer = statistics.median(side.cpu_seconds for _, side in pairs) / hundred_thousands
    return Row(
        "cpu", "service CPU for 100 k messages of 10 values", f"{spread(ratios, '{:.2f}')} ×: {ours:.2f} s",
        f"discarding: {peer:.2f} s", "≤ 1.5 ×", statistics.median(ratios) <= 1.5,
        {"ratios": ratios, "cpu_seconds": ours, "peer_cpu_seconds": peer},
    )


def cpu_reading_rows(rows):
    """CPU per million readings, which does not depend on the broker: beside the table."""
    for row in rows:
        if "cpu_seconds_a_million_readings" in row.figures:
            yield f"{row.title}: {row.figures['cpu_seconds_a_million_readings']:.2f} s of CPU a million readings"


def ingest10(bench):
    load = Load(STATIONS, 10, MESSAGES_WITHOUT_MERGES)
    pairs = run_pairs(bench, "10 values", load, ROOMY_HEAD, bench.pairs)
    return [
        rate_row("ingest10", "QoS 1 ingest, 10 values a message, committed before ack", pairs, load, 0.95),
        cpu_row(pairs, load),
    ]


def ingest50(bench):
    load = Load(STATIONS, 50, MESSAGES_WITHOUT_MERGES)
    pairs = run_pairs(bench, "50 values", load, ROOMY_HEAD, bench.pairs)
    return [rate_row("ingest50", "same, 50 values a message", pairs, load, 0.90)]


def sustained(bench):
    """Long enough for merges to keep up or not: default settings, so the head fills again and again."""
    probe = run_side(bench, Load(SUSTAINED_STATIONS, 50, 40_000), None)
    rounds = int(probe.messages_a_second * bench.sustained_seconds) // SUSTAINED_STATIONS
    load = Load(SUSTAINED_STATIONS, 50, rounds * SUSTAINED_STATIONS)
    pairs = run_pairs(bench, f"sustained {bench.sustained_seconds} s", load, {}, bench.sustained_pairs)
    title = f"same, sustained for {bench.sustained_seconds} s, merges included"
    return [rate_row("sustained", title, pairs, load, 0.85)]


def memory(bench):
    """10,000 series with the head at its limit, which is the most it ever holds."""
    load = Load(1_000, 10, 300_000, 60)
    side = run_side(bench, load, {})
    return [
        Row(
            "memory", "memory, 10,000 series, head full", f"{side.rss_bytes / 1e6:.0f} MB", "–", "< 200 MB",
            side.rss_bytes < 200e6, {"rss_bytes": side.rss_bytes, "messages": load.messages},
        )
    ]
