"""Writes what a run leaves behind: step files as Metis dumps them, and side files for checking.

A step file keeps Metis' keys and their order. Of the timings only those a viewer shows are kept, as constant 0.0: this
tool has no server. Advantages, token ids and log-probs are in no dump and go to side files.
"""
import gzip
import json
from pathlib import Path

import numpy as np

from .rollouts import Rollout


def line_of(rollout: Rollout, score: float, step: int) -> str:
    return json.dumps({
        "input": rollout.question.prompt,
        "output": output_of(rollout),
        "gts": str(rollout.question.answer),
        "score": float(np.float32(score)),
        "step": step,
        "tool_interact_info": [_entry(rollout, index) for index in range(rollout.calls)],
        "traj_stop_reason": rollout.stop,
        "verl_tool_metrics": _metrics(rollout),
    }, ensure_ascii=False)


def output_of(rollout: Rollout) -> str:
    """The trajectory behind the prompt: turns and observations, special tokens kept."""
    from .environment import OBSERVED
    pieces = []
    for index, turn in enumerate(rollout.turns):
        pieces.append(turn)
        if index < rollout.calls:
            pieces.append(OBSERVED.format(rollout.observations[index].text))
    return "".join(pieces)


def _entry(rollout: Rollout, index: int) -> dict:
    seen = rollout.observations[index]
    if not seen.valid:
        facts = {"obs": "", "metrics": {}}
    else:
        facts = {"obs": seen.text, "image": [], "metrics": {
            "code_success": seen.success, "code_lines": seen.code.count("\n") + 1}}
    return facts | {
        "trajectory_id": rollout.id,
        "action": rollout.turns[index],
        "done": 0,
        "valid_action": int(seen.valid),
        "finish": False,
        "invalid_reason": None if seen.valid else "No valid tool found for action",
        "success": True,
    }


def _metrics(rollout: Rollout) -> dict:
    said = sum(rollout.said)
    first = rollout.said.index(True)
    return {
        "num_turns": len(rollout.turns),
        "valid_action": sum(seen.valid for seen in rollout.observations),
        "traj_actions_length": said,
        "traj_obs_length": len(rollout.said) - first - said,
        "no_loss_on_traj": False,
    }


class Writer:
    """Appends the steps of one run to its files; nothing is kept in memory."""

    def __init__(self, folder: Path, run: str):
        self.rollouts = folder / "rollout_data" / run
        self.side = folder / "side" / run
        for path in (self.rollouts, self.side, folder / "metrics"):
            path.mkdir(parents=True, exist_ok=True)
        self._advantages = gzip.open(self.side / "advantages.csv.gz", "wt", encoding="utf-8")
        self._advantages.write("step,row,acc_advantage,tool_advantage,micro_batch\n")
        self._tokens = open(self.side / "tokens.jsonl", "w", encoding="utf-8")
        self._metrics = open(folder / "metrics" / f"{run}.jsonl", "w", encoding="utf-8")

    def step(self, step: int, lines: list[str], rows) -> None:
        """`rows` has (A_acc, A_tool, mini-batch) of each line."""
        (self.rollouts / f"{step}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for row, (accuracy, tool, batch) in enumerate(rows):
            self._advantages.write(f"{step},{row},{float(accuracy)!r},{float(tool)!r},{batch}\n")

    def tokens(self, record: dict) -> None:
        self._tokens.write(json.dumps(record) + "\n")
        self._tokens.flush()

    def metrics(self, record: dict) -> None:
        self._metrics.write(json.dumps(record) + "\n")
        self._metrics.flush()

    def close(self) -> None:
        for file in (self._advantages, self._tokens, self._metrics):
            file.close()
