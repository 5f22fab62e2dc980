"""Measures a policy: on the held-out questions at temperature 1, and the table of the README from those measures."""
import json
from pathlib import Path

import jax
import numpy as np

from .environment import STRATA, Question
from .rollouts import Player, Rollout


def repeats(rollout: Rollout) -> int:
    """Calls equal to an earlier successful one: same code but for white space, same result (rule `repeat`)."""
    seen, count = set(), 0
    for call in rollout.observations:
        key = ("".join(call.code.split()), call.text) if call.valid and call.success else None
        count += key is not None and key in seen
        seen.add(key)
    return count


def summary(rollouts: list[Rollout]) -> dict:
    """Tool rate, mean calls, share of repeated calls, accuracy, accuracy with and without calls."""
    used = [rollout for rollout in rollouts if rollout.calls]
    bare = [rollout for rollout in rollouts if not rollout.calls]
    calls = sum(rollout.calls for rollout in rollouts)

    def right(some: list[Rollout]) -> float | None:
        return round(float(np.mean([rollout.answer for rollout in some])), 4) if some else None

    return {
        "rollouts": len(rollouts), "tool_rate": round(len(used) / len(rollouts), 4),
        "calls": round(calls / len(rollouts), 4),
        "repeated": round(sum(map(repeats, rollouts)) / calls, 4) if calls else None,
        "accuracy": right(rollouts), "accuracy_with_calls": right(used), "accuracy_direct": right(bare),
    }


def measure(player: Player, params, held_out: dict[str, list[Question]], seed: int, times: int = 4) -> dict:
    """summary() by stratum and of all, the same random numbers for every policy of a seed."""
    result, everything = {}, []
    for index, stratum in enumerate(STRATA):
        asked = held_out[stratum]
        key = jax.random.fold_in(jax.random.key(seed), 1_000_000 + index)
        rollouts = player.play(params, asked, times, key, f"held out {seed} {stratum}")
        result[stratum] = summary(rollouts)
        everything += rollouts
    return result | {"all": summary(everything)}


def read_measures(folder: Path) -> list[dict]:
    """What was measured at start and end of every run, from the metrics files."""
    rows = []
    for path in sorted(folder.glob("seed-*/metrics/*.jsonl")):
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        measured = [record for record in records if "held_out" in record]
        if len(measured) > 1:
            rows.append({"seed": int(path.parts[-3].split("-")[1]), "run": path.stem, "steps": measured[-1]["step"],
                         "start": measured[0]["held_out"], "end": measured[-1]["held_out"]})
    return rows


def table(folder: Path) -> str:
    """The table as Markdown: mean over seeds, and in brackets the lowest and highest seed; writes table.json."""
    rows = read_measures(folder)
    (folder / "table.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    lines = ["| run | seeds | stratum | tool rate | repeated calls | accuracy |", "| --- | --- | --- | --- | --- | --- |"]
    runs = dict.fromkeys(row["run"] for row in rows)
    order = ["hdpo", "grpo", "coupled-mild", "coupled-aggressive", "coupled-gated"]
    for run in sorted(runs, key=order.index):
        mine = [row for row in rows if row["run"] == run]
        for stratum in (*STRATA, "all"):
            cells = [f"{_spread(mine, 'start', stratum, name)} → {_spread(mine, 'end', stratum, name)}"
                     for name in ("tool_rate", "repeated", "accuracy")]
            lines.append(f"| {run} | {len(mine)} | {stratum} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _spread(rows: list[dict], when: str, stratum: str, name: str) -> str:
    values = [row[when][stratum][name] for row in rows if row[when][stratum][name] is not None]
    if not values:
        return "no calls"
    mean = f"{np.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.2f}–{max(values):.2f})"
