"""The exported graph computes Llama: whole, in pieces through the cache, and with padding in front."""

from __future__ import annotations

import json
from pathlib import Path

import jinja2
import numpy as np
import onnx
import onnxruntime
import pytest

from .environment import OBSERVED, SYSTEM, Question, answer_turn, call_turn, run_call
from .export import CHAT_TEMPLATE, export_checkpoint
from .reference import log_probs_of, logits_of

CONFIG = {
    "hidden_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 24,
    "intermediate_size": 256,
    "vocab_size": 512,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "max_position_embeddings": 256,
    "tie_word_embeddings": True,
    "eos_token_id": 1,
}
TOKENIZER = json.dumps({"version": "1.0", "added_tokens": [{"id": 1, "content": "<|im_end|>"}]})
TOLERANCE = 1e-4


def random_params(seed: int = 1) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    width, kv = CONFIG["hidden_size"], CONFIG["num_key_value_heads"] * CONFIG["head_dim"]
    shapes = {"model.embed_tokens.weight": (CONFIG["vocab_size"], width), "model.norm.weight": (width,)}
    for layer in range(CONFIG["num_hidden_layers"]):
        name = f"model.layers.{layer}"
        for part, rows in (("q", width), ("k", kv), ("v", kv), ("o", width)):
            shapes[f"{name}.self_attn.{part}_proj.weight"] = (rows, width)
        for part in ("gate", "up"):
            shapes[f"{name}.mlp.{part}_proj.weight"] = (CONFIG["intermediate_size"], width)
        shapes[f"{name}.mlp.down_proj.weight"] = (width, CONFIG["intermediate_size"])
        for part in ("input", "post_attention"):
            shapes[f"{name}.{part}_layernorm.weight"] = (width,)

    # Norms around 1, the rest large enough for a distribution that is not flat.
    def values(name: str, shape: tuple[int, ...]) -> np.ndarray:
        drawn = random.normal(0, 0.12, shape)
        return (1 + drawn if "norm" in name else drawn).astype(np.float32)

    return {name: values(name, shape) for name, shape in shapes.items()}


class Policy:
    """The exported checkpoint in ONNX Runtime, fed as a loader of Hub models feeds it."""

    def __init__(self, folder: Path) -> None:
        self.session = onnxruntime.InferenceSession(folder / "onnx" / "model.onnx", providers=["CPUExecutionProvider"])

    def run(self, tokens: np.ndarray, mask: np.ndarray, positions: np.ndarray, past: dict | None = None) -> dict:
        names = [output.name for output in self.session.get_outputs()]
        empty = np.zeros((len(tokens), CONFIG["num_key_value_heads"], 0, CONFIG["head_dim"]), np.float32)
        cached = [item.name for item in self.session.get_inputs() if item.name.startswith("past_key_values")]
        cache = {name: empty if past is None else past[name.replace("past_key_values", "present")] for name in cached}
        feed = {"input_ids": tokens, "attention_mask": mask, "position_ids": positions, **cache}
        return dict(zip(names, self.session.run(None, feed), strict=True))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Policy, dict]:
    folder = tmp_path_factory.mktemp("checkpoint")
    params = random_params()
    export_checkpoint(params, CONFIG, TOKENIZER, folder)
    return folder, Policy(folder), params


def sequence(length: int, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, CONFIG["vocab_size"], (1, length))


def test_whole_sequence_is_the_reference(exported: tuple) -> None:
    _, policy, params = exported
    tokens = sequence(CONFIG["max_position_embeddings"])
    outputs = policy.run(tokens, np.ones_like(tokens), np.arange(tokens.shape[1])[None])
    logits = outputs["logits"][0].astype(np.float64)
    expected = logits_of(params, CONFIG, tokens[0].tolist())
    assert np.ptp(expected) > 5, "a flat distribution would hide errors"
    assert np.abs(logits - expected).max() < TOLERANCE
    found = logits[:-1] - np.log(np.exp(logits[:-1]).sum(-1, keepdims=True))
    chosen = found[np.arange(tokens.shape[1] - 1), tokens[0, 1:]]
    assert np.abs(chosen - log_probs_of(params, CONFIG, tokens[0].tolist())).max() < TOLERANCE


@pytest.mark.parametrize("pieces", [[1, 39], [7, 1, 1, 31], [1] * 12])
def test_pieces_through_the_cache_are_the_whole(exported: tuple, pieces: list[int]) -> None:
    _, policy, params = exported
    tokens = sequence(sum(pieces))
    logits, past, first = [], None, 0
    for count in pieces:
        piece = tokens[:, first : first + count]
        mask = np.ones((1, first + count), np.int64)
        past = policy.run(piece, mask, np.arange(first, first + count)[None], past)
        logits.append(past["logits"][0])
        first += count
    assert past is not None and past["present.3.value"].shape == (1, 2, first, 24)
    assert np.abs(np.concatenate(logits) - logits_of(params, CONFIG, tokens[0].tolist())).max() < TOLERANCE


def test_padding_in_front_changes_nothing(exported: tuple) -> None:
    _, policy, params = exported
    short, long = sequence(9, 3), sequence(14, 4)
    tokens = np.concatenate([np.pad(short, ((0, 0), (5, 0)), constant_values=1), long])
    mask = np.ones_like(tokens)
    mask[0, :5] = 0
    positions = np.maximum(np.cumsum(mask, 1) - 1, 0)
    logits = policy.run(tokens, mask, positions)["logits"]
    assert np.isfinite(logits).all()
    assert np.abs(logits[0, 5:] - logits_of(params, CONFIG, short[0].tolist())).max() < TOLERANCE
    assert np.abs(logits[1] - logits_of(params, CONFIG, long[0].tolist())).max() < TOLERANCE


def test_layout_is_that_of_the_hub(exported: tuple) -> None:
    folder, policy, _ = exported
    names = [item.name for item in policy.session.get_inputs()]
    assert names[:3] == ["input_ids", "attention_mask", "position_ids"]
    assert names[3:] == [f"past_key_values.{layer}.{part}" for layer in range(4) for part in ("key", "value")]
    outputs = [item.name for item in policy.session.get_outputs()]
    assert outputs == ["logits", *(name.replace("past_key_values", "present") for name in names[3:])]
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    jsons = {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"}
    assert files == jsons | {"onnx/model.onnx"}
    assert json.loads((folder / "config.json").read_text())["model_type"] == "llama"
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= 2_000_000


def test_head_is_the_last_node_and_can_be_rewired(exported: tuple) -> None:
    folder, _, _ = exported
    graph = onnx.load(folder / "onnx" / "model.onnx").graph
    head = graph.node[-1]
    assert head.op_type == "MatMul" and list(head.output) == ["logits"]
    # Scoring gathers rows in front of the head: what enters it is used nowhere else.
    assert [node.name for node in graph.node if head.input[0] in node.input] == [head.name]


def test_chat_template_writes_the_text_of_the_environment() -> None:
    question = Question("easy", 7, "+", 5)
    call = call_turn("A sum.", "7 + 5")
    seen = run_call(call).text
    answer = answer_turn("Now it is known.", 12)
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": "What is 7 + 5?"},
        {"role": "assistant", "content": call},
        {"role": "tool", "content": seen},
    ]
    template = jinja2.Environment().from_string(CHAT_TEMPLATE)
    assert template.render(messages=messages[:2], add_generation_prompt=True) == question.prompt
    episode = question.prompt + call + OBSERVED.format(seen)
    assert template.render(messages=messages, add_generation_prompt=True) == episode
    messages.append({"role": "assistant", "content": answer.removesuffix("<|im_end|>")})
    assert template.render(messages=messages) == episode + answer + "\n"
