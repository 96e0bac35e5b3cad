"""Measures what ARCHITECTURE.md promises, side by side with its limits, and prints the table.

Run by ops/bench. BENCH=quick (default, about six minutes) or full; BENCH_ONLY=name,… for some of the measures.
BENCH_BACKLOG=readings on …/history (2 M unless said; the goal is stated for 52 M).
"""

import getpass
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import backlog
import ingest
import machinery
import report
import storage

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
MEASURES = {
    "ingest10": ingest.ingest10,
    "ingest50": ingest.ingest50,
    "sustained": ingest.sustained,
    "real": storage.real,
    "year": storage.year,
    "written": storage.written,
    "http": storage.http,
    "restart": storage.restart,
    "memory": ingest.memory,
    "backlog": backlog.backlog,
}


@dataclass
class Bench:
    """How much is measured, with which programs, where."""

    programs: SimpleNamespace
    scratch: str
    pairs: int
    sustained_seconds: int
    sustained_pairs: int
    written_minutes: int
    restart_readings: int = 5_000_000
    user: str = getpass.getuser()

    @staticmethod
    def say(text):
        print(f"bench: {text}", file=sys.stderr, flush=True)


SIZES = {
    "quick": {"pairs": 3, "sustained_seconds": 15, "sustained_pairs": 2, "written_minutes": 60},
    "full": {"pairs": 7, "sustained_seconds": 60, "sustained_pairs": 7, "written_minutes": 180},
}


def compile_programs(folder):
    """The publisher and the peer, in C: what is measured must not be them."""
    folder.mkdir(parents=True, exist_ok=True)
    built = {}
    for name, libraries in {"flood": [], "discard": ["-lmosquitto"]}.items():
        built[name] = folder / name
        command = ["cc", "-O2", "-Wall", "-o", built[name], HERE / f"{name}.c", *libraries]
        subprocess.run(command, check=True)
    return built


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {"processors": os.cpu_count(), "model": models[0] if models else "?", "load": os.getloadavg()}


def chosen(only):
    names = [name for name in only.replace(",", " ").split()] or list(MEASURES)
    unknown = [name for name in names if name not in MEASURES]
    if unknown:
        sys.exit(f"bench: no measure {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    return names


def main():
    size = os.environ.get("BENCH", "quick")
    if size not in SIZES:
        sys.exit(f"bench: BENCH={size} is none of {', '.join(SIZES)}")
    names = chosen(os.environ.get("BENCH_ONLY", ""))
    output = ROOT / "var" / "bench"
    scratch = output / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    release = Path(os.environ.get("BENCH_BINARIES", ROOT / ".build" / "release"))
    programs = SimpleNamespace(
        quantrac=release / "quantrac", store_bench=release / "store-bench", **compile_programs(output / "programs")
    )
    bench = Bench(programs=programs, scratch=str(scratch), **SIZES[size])
    rows, failures = [], 0
    before = machine()
    for name in names:
        started = time.monotonic()
        try:
            rows += MEASURES[name](bench)
        except (machinery.Trouble, subprocess.CalledProcessError, OSError) as problem:
            failures += 1
            rows.append(report.Row(name, name, f"not measured: {str(problem).splitlines()[0]}", "–", "–", False))
            bench.say(f"{name}: {problem}")
        bench.say(f"{name}: {time.monotonic() - started:.0f} s")
    print(report.table(rows))
    for line in ingest.cpu_reading_rows(rows):
        print(line)
    if before["load"][0] > 0.5:
        print(f"the machine was not idle at the start (load {before['load'][0]:.1f}): these are lower bounds")
    stamp = datetime.now(timezone.utc)
    document = {
        "at": stamp.isoformat(timespec="seconds"), "size": size, "machine": before,
        "rows": [row.as_dict() for row in rows],
    }
    path = output / f"bench-{stamp:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"figures: {path.relative_to(ROOT)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
