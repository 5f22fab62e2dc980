"""Episodes as records of a dump: Metis (one call a turn, formats of its trainer) and verl's agent loop (several calls).

Key order and types are those of the writers. Timings and token counts are made up: tokens are characters / 4.
Leaves out what the tools answer (tools.py) and the files (__main__.py).
"""

from __future__ import annotations

import hashlib
import json
import struct

from PIL import Image

from pictures import PICTURES, data_uri, pads
from tools import Result, Tools
from words import Answer, Call, Group

BY_HAND = "This episode was written by hand to show what Rollout Lens marks. No policy wrote it."
METIS_PROMPT = (
    f"{BY_HAND} You may call python, text_search or image_search. Put reasoning in <reason></reason> and the result in "
    "<answer></answer>."
)
VERL_PROMPT = f"{BY_HAND} You may call read_file and append_line, several at once. Put the result in \\boxed{{}}."
FINISHED = "model_chose_to_finish_with_eos=<|im_end|>"
STEP = 1


def metis_records(group: Group) -> list[dict]:
    picture = PICTURES[group.picture]() if group.picture else None
    shown = pads(picture) if picture else ""
    prompt = (
        f"<|im_start|>system\n{METIS_PROMPT}<|im_end|>\n<|im_start|>user\n{shown}{group.question}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    return [metis_record(group, number, prompt, picture) for number in range(len(group.rollouts))]


def metis_record(group: Group, number: int, prompt: str, picture: Image.Image | None) -> dict:
    *calls, answer = group.rollouts[number]
    tools, entries, output = Tools(picture), [], ""
    trajectory = hashlib.md5(f"{group.name} {number}".encode()).hexdigest()
    turns, observed = [], []
    for call in calls:
        result = tools.run(call)
        action = f"{reason(call.thought)}\n{call.lead}{call_block(call)}"
        entries.append(metis_entry(result, action, trajectory))
        turns.append(action)
        observed.append(observation(result))
        output += f"{action}<|im_end|>\n<|im_start|>user\n{observed[-1]}<|im_end|>\n<|im_start|>assistant\n"
    answered = f"<answer>{answer.text}</answer><|im_end|>"
    turns.append(f"{reason(answer.thought)}\n{answered}" if answer.formatted else f"{answer.thought}\n{answered}")
    return {
        "input": prompt,
        "output": output + turns[-1],
        "gts": group.answer,
        "score": float32(0.9 * answer.right + 0.1 * answer.formatted),
        "step": STEP,
        "tool_interact_info": entries,
        "traj_stop_reason": FINISHED,
        "verl_tool_metrics": metis_metrics(entries, turns, observed),
    }


def metis_entry(result: Result, action: str, trajectory: str) -> dict:
    milliseconds = result.milliseconds
    # A text search has no key for pictures.
    pictures = {} if "search_success" in result.metrics and not result.pictures else {"image": [data_uri(p) for p in result.pictures]}
    return {
        "obs": result.text,
        **pictures,
        "metrics": result.metrics,
        "timeout": result.timeout,
        "reward": None,
        "trajectory_id": trajectory,
        "action": action,
        "is_last_step": False,
        "done": 0,
        "valid_action": 1,
        "finish": False,
        "invalid_reason": None,
        "processing_time_ms": milliseconds,
        "success": True,
        "queue_time_ms": 0.0,
        "client_queued_ms": 0.0,
        "X-Process-Time": milliseconds / 1000,
        "session_request_time": milliseconds / 1000,
        "interact_time_ms": milliseconds,
    }


def metis_metrics(entries: list[dict], turns: list[str], observed: list[str]) -> dict:
    seconds = sum(entry["processing_time_ms"] for entry in entries) / 1000
    metrics = {
        "num_turns": len(turns),
        "empty_responses": 0,
        "valid_action": len(entries),
        "per_action_length": sum(map(tokens, turns)) / len(turns),
        "per_obs_length": sum(map(tokens, observed)) / len(observed) if observed else 0,
        "per_action_logp": 0.0,
        "per_reward_from_tool": 0,
        "tool_call_success": 1.0 if entries else 0,
        "traj_actions_length": sum(map(tokens, turns)),
        "traj_obs_length": sum(map(tokens, observed)),
        "generated_length": tokens(turns[-1]),
        "is_traj_finished": 1.0,
        "valid_traj": 1.0,
        "no_loss_on_traj": False,
        "retokenization_diff": 0,
        "tool_processing_time_sec": seconds,
    }
    for name in entries[0]["metrics"] if entries else ():
        having = [entry["metrics"][name] for entry in entries if name in entry["metrics"]]
        metrics[f"tool_avg_{name}"] = sum(map(float, having)) / len(having)
    return metrics


def verl_records(group: Group) -> list[dict]:
    prompt = f"system\n{VERL_PROMPT}\nuser\n{group.question}\nassistant\n"
    return [verl_record(group, number, prompt) for number in range(len(group.rollouts))]


def verl_record(group: Group, number: int, prompt: str) -> dict:
    *turns, answer = group.rollouts[number]
    tools, output = Tools(None), ""
    for turn in turns:
        calls = turn if isinstance(turn, list) else [turn]
        blocks = "\n".join(map(call_block, calls))
        responses = "\n".join(f"<tool_response>\n{tools.run(call).text}\n</tool_response>" for call in calls)
        output += f"<think>\n{calls[0].thought}\n</think>\n\n{blocks}\nuser\n{responses}\nassistant\n"
    return {
        "input": prompt,
        "output": f"{output}<think>\n{answer.thought}\n</think>\n\n\\boxed{{{answer.text}}}",
        "gts": group.answer,
        "score": float(answer.right),
        "step": STEP,
        "acc": float(answer.right),
        "request_id": hashlib.md5(f"{group.name} {number}".encode()).hexdigest(),
    }


def marks_of(groups: tuple[Group, ...], file: str) -> list[dict]:
    """What each marked call is there for: its file, its row, its place among the rollout's calls, rule and reason."""
    found, row = [], 0
    for group in groups:
        for *turns, _ in group.rollouts:
            calls = [call for turn in turns for call in (turn if isinstance(turn, list) else [turn])]
            for index, call in enumerate(calls):
                found += [
                    {"file": file, "row": row, "call": index, "kind": mark.kind, "rule": mark.rule, "why": mark.why}
                    for mark in call.marks
                ]
            row += 1
    return found


def reason(thought: str) -> str:
    return f"<reason>{thought}</reason>"


def call_block(call: Call) -> str:
    body = json.dumps({"name": call.tool, "arguments": call.arguments}, ensure_ascii=False)
    return f"<tool_call>\n{body}\n</tool_call>"


def observation(result: Result) -> str:
    """The text as the policy saw it: a placeholder for each picture, where the tool put it."""
    if "<image>" not in result.text:
        return result.text + "".join(map(pads, result.pictures))
    first, *rest = result.text.split("<image>")
    return first + "".join(pads(picture) + part for picture, part in zip(result.pictures, rest, strict=True))


def tokens(text: str) -> int:
    return -(-len(text) // 4)


def float32(value: float) -> float:
    return struct.unpack("f", struct.pack("f", value))[0]
