"""Runs everything: base and cold start, the runs of all seeds, two single-threaded processes at a time; then packs.

Owned by the trainer. Each job is `python -m training` in a process of its own, so that one core computes one job.
"""
import os
import subprocess
import sys
import time
from pathlib import Path

from . import pack

AT_ONCE = 2
ONE_THREAD = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "TOKENIZERS_PARALLELISM": "false",
}


def run_all(options) -> int:
    """0 where every job ended well; a start policy that misses a gate gets no runs."""
    options.out.mkdir(parents=True, exist_ok=True)
    waiting: list[tuple] = [("prepare",)]
    running: dict[tuple, subprocess.Popen] = {}
    missed, began, total = [], time.time(), 1 + len(options.seeds) * len(options.runs)
    ended = 0
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            job = waiting.pop(0)
            running[job] = _start(job, options)
        time.sleep(0.5)
        for job, process in list(running.items()):
            if process.poll() is None:
                continue
            del running[job]
            ended += 1
            print(f"{time.time() - began:6.0f} s  {ended} of {total}  {' '.join(map(str, job))}: "
                  f"{'done' if process.returncode == 0 else 'MISSED, see its log'}", flush=True)
            if process.returncode != 0:
                missed.append(job)
            elif job[0] == "prepare":
                # All runs of the first seed, which is the one that ships, come first.
                waiting += [("run", seed, run) for seed in options.seeds for run in options.runs]
    if missed:
        return 1
    pack_first(options)
    return 0


def pack_first(options) -> None:
    """Puts the first seed into media/sample, where it is whole: a part of the runs or steps is no sample."""
    if options.steps or not set(pack.RUNS) <= set(options.runs):
        print("not packed: only some runs or steps were trained")
        return
    root = Path(__file__).parent.parent
    pack.pack(options.out / f"seed-{options.seeds[0]}", root / "media" / "sample", root / "test" / "fixtures" / "sample")


def _start(job: tuple, options) -> subprocess.Popen:
    command = [sys.executable, "-m", "training", job[0], "--out", str(options.out)]
    if job[0] == "run":
        command += ["--seed", str(job[1]), "--run", job[2]] + (["--steps", str(options.steps)] if options.steps else [])
    logs = options.out / "logs"
    logs.mkdir(exist_ok=True)
    log = open(logs / f"{'-'.join(map(str, job))}.log", "w", encoding="utf-8")
    return subprocess.Popen(command, env=os.environ | ONE_THREAD, stdout=log, stderr=log, cwd=Path(__file__).parent.parent)
