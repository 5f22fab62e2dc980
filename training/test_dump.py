"""A line of a dump has the keys, order and numbers of Metis; tokens and text of a rollout agree."""
import json

from . import demonstrations, dump, tokenizer
from .environment import OBSERVED, Question, answer_turn, call_turn, questions, run_call
from .rollouts import Rollout


def _rollout() -> Rollout:
    question = Question("medium", 37, "+", 5)
    turns = [call_turn("A sum.", "print(37 + 5"), call_turn("Fix the bracket.", "print(37 + 5)"),
             answer_turn("Now it is known.", 42)]
    seen = [run_call(turn) for turn in turns[:2]]
    return Rollout(question, "f" * 32, [0] * 50, [False] * 10 + [True] * 20 + [False] * 5 + [True] * 15, [0.0] * 50,
                   turns, seen, "model_chose_to_finish_with_eos=<|im_end|>", 1, 1)


def test_a_line():
    line = dump.line_of(_rollout(), 0.9, 7)
    record = json.loads(line)
    assert "\n" not in line and list(record) == ["input", "output", "gts", "score", "step", "tool_interact_info",
                                                 "traj_stop_reason", "verl_tool_metrics"]
    assert '"score": 0.8999999761581421' in line
    assert record["input"].endswith("What is 37 + 5?<|im_end|>\n<|im_start|>assistant\n")
    first, second = record["tool_interact_info"]
    assert "SyntaxError" in first["obs"] and first["metrics"] == {"code_success": False, "code_lines": 1}
    assert record["output"].startswith(first["action"] + OBSERVED.format(first["obs"]) + second["action"])
    assert record["verl_tool_metrics"] == {"num_turns": 3, "valid_action": 2, "traj_actions_length": 35,
                                           "traj_obs_length": 5, "no_loss_on_traj": False}


def test_text_survives_the_tokenizer():
    some = questions("easy") + questions("hard")[::50]
    codec = tokenizer.Codec(tokenizer.train_tokenizer(tokenizer.corpus(demonstrations.demonstrate, some, 500)))
    assert 384 <= codec.size <= 512
    for text in ("<tool_call>", "</tool_call>", "<|im_start|>", "<|im_end|>", *"0123456789"):
        assert len(codec.encode(text)) == 1
    text = dump.output_of(_rollout()) + " ünïcode \U0001f600 123"
    assert codec.decode(codec.encode(text)) == text
