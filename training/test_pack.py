"""Packing a made-up seed: what is kept, that equal input makes equal bytes, and that a wrong log-prob stops it."""

from __future__ import annotations

import gzip
import json
import zipfile
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from . import pack as packing, schedule
from .reference import log_probs_of
from .test_export import CONFIG, TOKENIZER, random_params

STEPS = 7


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seed-1")
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir()
    (checkpoints / "config.json").write_text(json.dumps(CONFIG))
    (checkpoints / "tokenizer.json").write_text(TOKENIZER)
    params = {name: random_params(seed) for seed, name in enumerate(packing.CHECKPOINTS)}
    for name, values in params.items():
        np.savez(checkpoints / f"{name}.npz", **values)
    for run in packing.RUNS:
        side, logs = folder / "side" / run, folder / "rollout_data" / run
        side.mkdir(parents=True)
        logs.mkdir(parents=True)
        rows = ["step,row,acc_advantage,tool_advantage,micro_batch"]
        for step in range(1, STEPS + 1):
            rows += [f"{step},{row},{0.1 * row},0.0,0" for row in range(4)]
            (logs / f"{step}.jsonl").write_text("".join(line(step, row) for row in range(4)))
        with gzip.open(side / "advantages.csv.gz", "wt") as file:
            file.write("\n".join(rows) + "\n")
        names = [name for name in ("start", run) if name in packing.CHECKPOINTS]
        records = [sequence(name, params[name]) for name in names]
        (side / "tokens.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


def line(step: int, row: int) -> str:
    calls = [{}] * (row % 2)
    record = {"input": f"question {row // 2}", "gts": "1", "score": float(row % 2), "step": step, "tool_interact_info": calls}
    return json.dumps(record) + "\n"


def sequence(name: str, params: dict) -> dict:
    tokens = np.random.default_rng(5).integers(0, CONFIG["vocab_size"], 20).tolist()
    logps = [0.0, *log_probs_of(params, CONFIG, tokens).tolist()]
    return {"step": 1, "row": 0, "checkpoint": name, "tokens": tokens, "said": [0] * 5 + [1] * 15, "logps": logps}


def packed(out: Path, to: Path) -> tuple[Path, Path]:
    packing.pack(out, to / "sample", to / "fixtures")
    return to / "sample", to / "fixtures"


def test_whole_seed(out: Path, tmp_path: Path) -> None:
    sample, fixtures = packed(out, tmp_path / "a")
    names = zipfile.ZipFile(sample / "trained.zip").namelist()
    assert names[0] == "rollout_data/hdpo/1.jsonl" and len(names) == 4 * STEPS
    assert "rollout_data/others/coupled-mild/7.jsonl" in names
    assert sorted(folder.name for folder in (sample / "checkpoints").iterdir()) == sorted(packing.CHECKPOINTS)
    runs = json.loads((fixtures / "runs.json").read_text())
    assert runs["grpo"] == {
        "folder": "rollout_data/others/grpo",
        "steps": STEPS,
        "rollouts": 4 * STEPS,
        "groups": 2 * STEPS,
        "first": {"step": 1, "accuracy": 0.5, "toolRate": 0.5, "calls": 0.5},
        "last": {"step": STEPS, "accuracy": 0.5, "toolRate": 0.5, "calls": 0.5},
    }
    found = [(entry["run"], entry["checkpoint"]) for entry in json.loads((fixtures / "logProbs.json").read_text())]
    assert found == [("hdpo", "start"), ("hdpo", "hdpo"), ("grpo", "grpo")]
    again, _ = packed(out, tmp_path / "b")
    assert (again / "trained.zip").read_bytes() == (sample / "trained.zip").read_bytes()


def test_baselines_are_thinned_where_the_size_demands_it(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = (out / "rollout_data" / "hdpo" / "1.jsonl").stat().st_size
    monkeypatch.setattr(packing, "LARGEST_UNPACKED", step * (STEPS + 3 * 4))
    sample, fixtures = packed(out, tmp_path)
    names = zipfile.ZipFile(sample / "trained.zip").namelist()
    assert [name for name in names if "/grpo/" in name] == [
        f"rollout_data/others/grpo/{step}.jsonl" for step in (1, 3, 5, 7)
    ]
    assert sum("/hdpo/" in name for name in names) == STEPS
    side = gzip.decompress((fixtures / "advantages" / "grpo.csv.gz").read_bytes()).decode().splitlines()
    assert len(side) == 1 + 4 * 4 and side[5].startswith("3,0,")


def test_the_last_step_stays_whatever_the_stride() -> None:
    assert packing.thinned(list(range(1, 9)), 3) == [1, 4, 7, 8]
    assert packing.thinned([5], 4) == [5]


def test_log_probs_that_are_off_stop_it(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "TOLERANCE", 0.0)
    with pytest.raises(SystemExit, match="start"):
        packed(out, tmp_path)
    assert not (tmp_path / "sample").exists()


def test_only_a_whole_training_is_packed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    seeds = []
    monkeypatch.setattr(packing, "pack", lambda out, *_: seeds.append(out.name))
    whole = {"out": Path("out"), "seeds": [2, 3], "runs": [*packing.RUNS, "coupled-gated"], "steps": None}
    for some in ({"steps": 20}, {"runs": ["hdpo", "grpo"]}, {}):
        schedule.pack_first(Namespace(**whole | some))
    assert seeds == ["seed-2"] and capsys.readouterr().out.count("not packed") == 2
