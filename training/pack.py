"""`python -m training.pack` puts one trained seed into media/sample, and what tests compare with into test/fixtures/sample.

    python -m training.pack [--out training/out/seed-1] [--repository .]

The step files of the four runs become media/sample/trained.zip, three policies become media/sample/checkpoints/. Every
group of every step of `hdpo` is kept; the other runs are thinned to every second step, third, … where the size demands
it, their first and last step always kept. Leaves out training.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np

from .export import export_checkpoint
from .reference import fixture_of

RUNS = ["hdpo", "grpo", "coupled-mild", "coupled-aggressive"]
CHECKPOINTS = ["start", "hdpo", "grpo"]
# Runs are listed by path: so the first is the one to look at first.
FOLDERS = {"hdpo": "rollout_data/hdpo", **{run: f"rollout_data/others/{run}" for run in RUNS[1:]}}
LARGEST_UNPACKED = 64_000_000
LARGEST_ZIP = 8_000_000
LARGEST_CHECKPOINT = 2_000_000
TOLERANCE = 1e-4


def main() -> None:
    folder = Path(__file__).parent
    parser = argparse.ArgumentParser(prog="python -m training.pack", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=folder / "out" / "seed-1", help="folder of the seed that ships")
    parser.add_argument("--repository", type=Path, default=folder.parent)
    options = parser.parse_args()
    pack(options.out, options.repository / "media" / "sample", options.repository / "test" / "fixtures" / "sample")


def pack(out: Path, sample: Path, fixtures: Path) -> None:
    """Writes the sample and its fixtures in place of what was there; stops before where something is missing or off."""
    config = json.loads((out / "checkpoints" / "config.json").read_text(encoding="utf-8"))
    kept = kept_steps(out)
    sequences, errors = fixture_of(out, RUNS, CHECKPOINTS, config)
    for name, error in errors.items():
        print(f"log-probs of {name}: the trainer and NumPy differ by at most {error:.1e}")
    far = [name for name in CHECKPOINTS if not errors.get(name, np.inf) < TOLERANCE]
    if far:
        raise SystemExit(f"No log-probs, or other ones than the trainer's, for: {', '.join(far)}")

    sample.mkdir(parents=True, exist_ok=True)
    archive = zip_of(out, kept)
    if len(archive) > LARGEST_ZIP:
        raise SystemExit(f"trained.zip would have {len(archive)} bytes, above {LARGEST_ZIP}: thin the runs")
    (sample / "trained.zip").write_bytes(archive)
    unpacked = sum(step_file(out, run, step).stat().st_size for run, steps in kept.items() for step in steps)
    print(f"trained.zip: {len(archive) / 1e6:.2f} MB, {unpacked / 1e6:.1f} MB unpacked")
    export_all(out, sample / "checkpoints", config)

    shutil.rmtree(fixtures / "advantages", ignore_errors=True)
    (fixtures / "advantages").mkdir(parents=True)
    for run, steps in kept.items():
        (fixtures / "advantages" / f"{run}.csv.gz").write_bytes(advantages_of(out, run, steps))
    write_json(fixtures / "runs.json", {run: described(out, run, steps) for run, steps in kept.items()})
    write_json(fixtures / "logProbs.json", sequences)


def step_file(out: Path, run: str, step: int) -> Path:
    return out / "rollout_data" / run / f"{step}.jsonl"


def kept_steps(out: Path) -> dict[str, list[int]]:
    """The steps of each run that go in: all of the first run, of the others as many as fit."""
    present = {run: sorted(int(file.stem) for file in (out / "rollout_data" / run).glob("*.jsonl")) for run in RUNS}
    if missing := [run for run, steps in present.items() if not steps]:
        raise SystemExit(f"No step files of: {', '.join(missing)}")
    first, *others = RUNS
    stride = 1
    while True:
        kept = {first: present[first]} | {run: thinned(present[run], stride) for run in others}
        size = sum(step_file(out, run, step).stat().st_size for run, steps in kept.items() for step in steps)
        if size <= LARGEST_UNPACKED:
            counts = ", ".join(f"{run} {len(steps)} of {len(present[run])} steps" for run, steps in kept.items())
            print(f"kept: {counts}")
            return kept
        if stride > len(present[first]):
            raise SystemExit(f"{first} alone is larger than {LARGEST_UNPACKED} bytes")
        stride += 1


def thinned(steps: list[int], stride: int) -> list[int]:
    """Every `stride`-th step and the last one, at which the run is judged."""
    return sorted({*steps[::stride], steps[-1]})


def zip_of(out: Path, kept: dict[str, list[int]]) -> bytes:
    """The archive; equal logs make equal bytes, whatever the clock says."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for run, steps in kept.items():
            for step in steps:
                name = zipfile.ZipInfo(f"{FOLDERS[run]}/{step}.jsonl")
                name.compress_type = zipfile.ZIP_DEFLATED
                name.external_attr = 0o644 << 16
                archive.writestr(name, step_file(out, run, step).read_bytes(), compresslevel=9)
    return buffer.getvalue()


def export_all(out: Path, checkpoints: Path, config: dict) -> None:
    shutil.rmtree(checkpoints, ignore_errors=True)
    tokenizer = (out / "checkpoints" / "tokenizer.json").read_text(encoding="utf-8")
    for name in CHECKPOINTS:
        folder = checkpoints / name
        export_checkpoint(dict(np.load(out / "checkpoints" / f"{name}.npz")), config, tokenizer, folder)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"checkpoints/{name}: {size / 1e6:.2f} MB")
        if size > LARGEST_CHECKPOINT:
            raise SystemExit(f"above {LARGEST_CHECKPOINT} bytes")


def advantages_of(out: Path, run: str, steps: list[int]) -> bytes:
    """The trainer's advantages of the kept steps, as it wrote them."""
    wanted = {str(step) for step in steps}
    with gzip.open(out / "side" / run / "advantages.csv.gz", "rt", encoding="utf-8") as side:
        header, *rows = side.read().splitlines()
    lines = [header, *(row for row in rows if row.split(",", 1)[0] in wanted)]
    return gzip.compress(("\n".join(lines) + "\n").encode(), 9, mtime=0)


def described(out: Path, run: str, steps: list[int]) -> dict:
    """What a reader must find in a run, counted here on the records themselves."""
    rollouts, groups, first_and_last = 0, 0, []
    for step in steps:
        text = step_file(out, run, step).read_text(encoding="utf-8")
        records = [json.loads(line) for line in text.splitlines()]
        rollouts += len(records)
        groups += len({(record["input"], record["gts"]) for record in records})
        if step in (steps[0], steps[-1]):
            first_and_last.append(
                {
                    "step": step,
                    "accuracy": sum(record["score"] > 0.5 for record in records) / len(records),
                    "toolRate": sum(record["tool_interact_info"] != [] for record in records) / len(records),
                    "calls": sum(len(record["tool_interact_info"]) for record in records) / len(records),
                }
            )
    return {
        "folder": FOLDERS[run],
        "steps": len(steps),
        "rollouts": rollouts,
        "groups": groups,
        "first": first_and_last[0],
        "last": first_and_last[-1],
    }


def write_json(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, indent=None if isinstance(value, list) else 2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
