"""The rows about bytes, restart and queries: `store-bench` fills stores by its own clock, the service opens them."""

import json
import lzma
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.parse
from datetime import datetime, timezone
from pathlib import Path

import machinery
from report import Row

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
REAL_FILES = ["beijing-Dingling.csv.xz", "beijing-Gucheng.csv.xz"]
YEAR_DAYS = 365


def store_bench(bench, *arguments):
    """Runs `store-bench` and returns the figures it prints."""
    return json.loads(machinery.run(bench.programs.store_bench, *arguments))


def temporary(bench, in_memory=False):
    """A folder; in memory where an fsync says nothing about what is measured."""
    memory = "/dev/shm"
    fits = in_memory and os.path.isdir(memory) and shutil.disk_usage(memory).free > 2 << 30
    return tempfile.TemporaryDirectory(prefix="quantrac-bench-", dir=memory if fits else bench.scratch)


def real(bench):
    title = "bytes per raw reading on disk (real data, jittered receipt)"
    files = [DATA / name for name in REAL_FILES]
    if not all(file.exists() for file in files):
        return [Row("real", title, "skipped: the real data is absent", "VictoriaMetrics 1.43", "≤ 1.0", None)]
    with temporary(bench, in_memory=True) as directory:
        texts = []
        for file in files:
            texts.append(os.path.join(directory, file.stem))
            with lzma.open(file) as source, open(texts[-1], "wb") as target:
                shutil.copyfileobj(source, target)
        figures = store_bench(bench, "real", os.path.join(directory, "quantrac.db"), *texts)
    value = figures["rawBytes"] / figures["readings"]
    return [
        Row(
            "real", title, f"{value:.2f} ({figures['readings'] / 1e3:,.0f} k readings)",
            "VictoriaMetrics 1.43 (earlier)", "≤ 1.0", value <= 1.0, figures,
        )
    ]


def year(bench):
    with temporary(bench, in_memory=True) as directory:
        store = os.path.join(directory, "quantrac.db")
        figures = store_bench(bench, "year", store, 4, 60, YEAR_DAYS, int(time.time() * 1000))
    value = figures["fileBytes"] / figures["readings"]
    return [
        Row(
            "year", "the whole file, rollups included, one year of 1-minute data",
            f"{value:.2f} bytes a reading, {figures['rawBytes'] / figures['readings']:.2f} of them raw", "–", "≤ 2.5",
            value <= 2.5, figures,
        )
    ]


def written(bench):
    with temporary(bench) as directory:
        figures = store_bench(bench, "written", os.path.join(directory, "quantrac.db"), bench.written_minutes)
    value = figures["writtenBytes"] / figures["readings"]
    return [
        Row(
            "written", "bytes written to disk per reading, 300 stations × 12 × 1 min, steady state",
            f"{value:,.0f}, commits alone {figures['commitBytes'] / figures['readings']:,.0f}",
            "12,353 with a naive 30 s checkpoint (earlier)", "≤ 300", value <= 300, figures,
        )
    ]


def http(bench):
    """One year of 5-minute data as hourly means, 50 requests over one connection."""
    end = int(time.time() * 1000)
    with temporary(bench) as directory, temporary(bench, in_memory=True) as memory:
        store = os.path.join(memory, "quantrac.db")
        store_bench(bench, "year", store, 1, 300, YEAR_DAYS, end)
        with machinery.start_broker(directory, bench.user) as broker:
            with machinery.Service(bench.programs, directory, broker.port, store=store) as service:
                milliseconds, rows, size = time_requests(service, end)
    median = statistics.median(milliseconds)
    return [
        Row(
            "http", "one series, one year of 5-minute data as hourly means, HTTP API",
            f"p50 {median:.1f} ms, slowest {max(milliseconds):.1f} ms ({rows:,} rows, {size / 1e3:,.0f} kB)", "–",
            "< 5 ms", median < 5, {"milliseconds": milliseconds, "rows": rows, "bytes": size},
        )
    ]


def time_requests(service, end):
    def instant(milliseconds):
        return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    query = urllib.parse.urlencode(
        {
            "level": "1h", "columns": "start,mean", "from": instant(end - YEAR_DAYS * 86_400_000), "to": instant(end),
        }
    )
    milliseconds, body = [], b""
    for number in range(55):
        started = time.perf_counter()
        status, body = service.get(f"/api/v1/series/b-0000/P00?{query}")
        if status != 200:
            raise machinery.Trouble(f"the HTTP API answers {status}: {body[:300]}")
        if number >= 5:
            milliseconds.append((time.perf_counter() - started) * 1000)
    return milliseconds, len(json.loads(body)["rows"]), len(body)


def restart(bench):
    with temporary(bench) as directory:
        store = os.path.join(directory, "quantrac.db")
        # It kills itself in the end: what it leaves behind is what is measured.
        subprocess.run([bench.programs.store_bench, "journal", store, str(bench.restart_readings)], check=False)
        with machinery.start_broker(directory, bench.user) as broker:
            with machinery.Service(bench.programs, directory, broker.port, store=store) as service:
                seconds = service.seconds_to_ready
                readings = service.metric("quantrac_head_readings")
    return [
        Row(
            "restart", f"restart after kill -9 with {bench.restart_readings / 1e6:.0f} M readings in the journal",
            f"{seconds:.2f} s to ready", "–", "< 5 s", seconds < 5, {"seconds": seconds, "unmerged": readings},
        )
    ]
