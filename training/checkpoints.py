"""Saves and loads policies in Hugging Face's names and shapes, with config.json and tokenizer.json beside them."""
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from . import model
from .tokenizer import Codec


def save(folder: Path, name: str, params, codec: Codec, layout: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = model.CONFIG | {"vocab_size": codec.size, "bos_token_id": codec.start, "eos_token_id": codec.end,
                             "pad_token_id": codec.pad}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "tokenizer.json").write_text(layout + "\n", encoding="utf-8")
    np.savez(folder / f"{name}.npz", **model.to_llama(params))


def load(folder: Path, name: str):
    with np.load(folder / f"{name}.npz") as flat:
        return jax.tree.map(jnp.array, model.from_llama(flat))
