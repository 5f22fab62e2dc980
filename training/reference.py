"""What the policy says of given tokens, computed a second time: a plain NumPy forward pass in float64.

It shares nothing with the trainer's JAX and with the ONNX graph but the definition of Llama, so that agreement of the
three means something. Also writes the fixture by which a test of the extension compares the ONNX graph with the trainer.
Leaves out sampling and the cache.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def logits_of(params: dict[str, np.ndarray], config: dict, tokens: list[int]) -> np.ndarray:
    """Logits [tokens, vocabulary] of one sequence."""
    wide = {name: value.astype(np.float64) for name, value in params.items()}
    heads, kv_heads, head_dim = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
    count = len(tokens)
    hidden = wide["model.embed_tokens.weight"][tokens]
    frequency = config["rope_theta"] ** -(np.arange(0, head_dim, 2) / head_dim)
    angle = np.tile(np.arange(count)[:, None] * frequency[None, :], 2)
    hides_later = np.triu(np.full((count, count), -np.inf), 1)

    def normed(value: np.ndarray, weight: str) -> np.ndarray:
        return value / np.sqrt(np.mean(value**2, -1, keepdims=True) + config["rms_norm_eps"]) * wide[weight]

    def rotated(value: np.ndarray) -> np.ndarray:
        half = head_dim // 2
        turned = np.concatenate([-value[..., half:], value[..., :half]], -1)
        return value * np.cos(angle)[:, None] + turned * np.sin(angle)[:, None]

    for layer in range(config["num_hidden_layers"]):
        name = f"model.layers.{layer}"
        within = normed(hidden, f"{name}.input_layernorm.weight")

        def projected(part: str, of: int, source: np.ndarray = within, name: str = name) -> np.ndarray:
            return (source @ wide[f"{name}.self_attn.{part}_proj.weight"].T).reshape(count, of, head_dim)

        query, key, value = rotated(projected("q", heads)), rotated(projected("k", kv_heads)), projected("v", kv_heads)
        key, value = (np.repeat(part, heads // kv_heads, 1) for part in (key, value))
        scores = np.einsum("qhd,khd->hqk", query, key) / np.sqrt(head_dim) + hides_later
        weight = np.exp(scores - scores.max(-1, keepdims=True))
        weight /= weight.sum(-1, keepdims=True)
        mixed = np.einsum("hqk,khd->qhd", weight, value).reshape(count, heads * head_dim)
        hidden = hidden + mixed @ wide[f"{name}.self_attn.o_proj.weight"].T
        within = normed(hidden, f"{name}.post_attention_layernorm.weight")
        gate, up = (within @ wide[f"{name}.mlp.{part}_proj.weight"].T for part in ("gate", "up"))
        hidden = hidden + (gate / (1 + np.exp(-gate)) * up) @ wide[f"{name}.mlp.down_proj.weight"].T
    return normed(hidden, "model.norm.weight") @ wide["model.embed_tokens.weight"].T


def log_probs_of(params: dict[str, np.ndarray], config: dict, tokens: list[int]) -> np.ndarray:
    """Natural log-probability of each token after the first, given those before it: [tokens - 1]."""
    logits = logits_of(params, config, tokens)[:-1]
    top = logits.max(-1, keepdims=True)
    normaliser = top[:, 0] + np.log(np.exp(logits - top).sum(-1))
    return logits[np.arange(len(tokens) - 1), tokens[1:]] - normaliser


def fixture_of(out: Path, runs: list[str], shipped: list[str], config: dict) -> tuple[list[dict], dict[str, float]]:
    """Sampled sequences of the shipped checkpoints with the trainer's log-probs, and how far ours are from them, a name.

    Ours are the NumPy ones; a trainer that is off by more than rounding stops the packing (pack.py).
    """
    sequences, errors = [], {}
    for run in runs:
        for line in (out / "side" / run / "tokens.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            name = record["checkpoint"]
            # The runs begin with the same policy: what it said in one of them is enough.
            if name not in shipped or (name == "start" and run != runs[0]):
                continue
            params = dict(np.load(out / "checkpoints" / f"{name}.npz"))
            found = log_probs_of(params, config, record["tokens"])
            said = np.array(record["said"][1:], bool)
            error = np.abs(found - np.array(record["logps"][1:]))[said].max()
            errors[name] = max(errors.get(name, 0.0), float(error))
            sequences.append({"run": run, **record, "logps": [round(value, 7) for value in record["logps"]]})
    return sequences, errors
