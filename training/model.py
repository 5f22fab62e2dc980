"""The policy: a decoder of Llama's shape in JAX. Forward pass for training, and a KV cache for sampling.

Inside, weights are [in, out] and fused (qkv, gate and up) because that is what a CPU multiplies fastest; `to_llama`
gives the names and shapes Hugging Face uses. Everything after the constant beginning of a prompt is a row of a batch;
the beginning itself is computed once a batch, exactly, gradient included.
"""
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 24,
    "intermediate_size": 256,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "max_position_embeddings": 256,
    "tie_word_embeddings": True,
    "attention_bias": False,
    "mlp_bias": False,
    "torch_dtype": "float32",
}
WIDTH, LAYERS, INNER = CONFIG["hidden_size"], CONFIG["num_hidden_layers"], CONFIG["intermediate_size"]
HEADS, KV_HEADS, HEAD = CONFIG["num_attention_heads"], CONFIG["num_key_value_heads"], CONFIG["head_dim"]
GROUP = HEADS // KV_HEADS
QUERY, KEYS = HEADS * HEAD, KV_HEADS * HEAD


def initial(seed: int, vocabulary: int) -> dict:
    chance = np.random.default_rng(seed)

    def matrix(rows: int, columns: int, scale: float) -> np.ndarray:
        return (chance.standard_normal((rows, columns)) * scale).astype(np.float32)

    inward, outward = WIDTH**-0.5, (2 * LAYERS * WIDTH) ** -0.5
    layers = [{
        "norm1": np.ones(WIDTH, np.float32),
        "qkv": matrix(WIDTH, QUERY + 2 * KEYS, inward),
        "out": matrix(QUERY, WIDTH, outward),
        "norm2": np.ones(WIDTH, np.float32),
        "wide": matrix(WIDTH, 2 * INNER, inward),
        "down": matrix(INNER, WIDTH, outward),
    } for _ in range(LAYERS)]
    return {"embed": matrix(vocabulary, WIDTH, 0.05), "norm": np.ones(WIDTH, np.float32), "layers": layers}


def to_llama(params: dict) -> dict[str, np.ndarray]:
    flat = {"model.embed_tokens.weight": params["embed"], "model.norm.weight": params["norm"]}
    for index, layer in enumerate(params["layers"]):
        q, k, v = np.split(np.asarray(layer["qkv"]), [QUERY, QUERY + KEYS], axis=1)
        gate, up = np.split(np.asarray(layer["wide"]), 2, axis=1)
        for name, value in {
            "self_attn.q_proj": q.T, "self_attn.k_proj": k.T, "self_attn.v_proj": v.T,
            "self_attn.o_proj": np.asarray(layer["out"]).T, "mlp.gate_proj": gate.T, "mlp.up_proj": up.T,
            "mlp.down_proj": np.asarray(layer["down"]).T, "input_layernorm": layer["norm1"],
            "post_attention_layernorm": layer["norm2"],
        }.items():
            flat[f"model.layers.{index}.{name}.weight"] = value
    return {name: np.ascontiguousarray(value, np.float32) for name, value in flat.items()}


def from_llama(flat) -> dict:
    def take(index: int, *names: str) -> np.ndarray:
        return np.concatenate([np.asarray(flat[f"model.layers.{index}.{name}.weight"]).T for name in names], axis=1)

    layers = [{
        "norm1": np.asarray(flat[f"model.layers.{index}.input_layernorm.weight"]),
        "qkv": take(index, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        "out": take(index, "self_attn.o_proj"),
        "norm2": np.asarray(flat[f"model.layers.{index}.post_attention_layernorm.weight"]),
        "wide": take(index, "mlp.gate_proj", "mlp.up_proj"),
        "down": take(index, "mlp.down_proj"),
    } for index in range(LAYERS)]
    return {"embed": np.asarray(flat["model.embed_tokens.weight"]), "norm": np.asarray(flat["model.norm.weight"]),
            "layers": layers}


# ---- parts ----------------------------------------------------------------------------------------------------------

def _normed(x, weight):
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + CONFIG["rms_norm_eps"]) * weight


def _turns(positions):
    """cos and sin of the rotary embedding, [..., 1, HEAD]."""
    steps = CONFIG["rope_theta"] ** (-jnp.arange(0, HEAD, 2, dtype=jnp.float32) / HEAD)
    angle = positions[..., None].astype(jnp.float32) * steps
    angle = jnp.concatenate([angle, angle], -1)[..., None, :]
    return jnp.cos(angle), jnp.sin(angle)


def _rotated(x, turns):
    half = HEAD // 2
    return x * turns[0] + jnp.concatenate([-x[..., half:], x[..., :half]], -1) * turns[1]


def _project(x, layer, turns):
    """q [..., KV_HEADS, GROUP, HEAD], k and v [..., KV_HEADS, HEAD]; q is scaled already."""
    mixed = _normed(x, layer["norm1"]) @ layer["qkv"]
    shape = mixed.shape[:-1]
    q = _rotated(mixed[..., :QUERY].reshape(*shape, HEADS, HEAD), turns) * HEAD**-0.5
    k = _rotated(mixed[..., QUERY:QUERY + KEYS].reshape(*shape, KV_HEADS, HEAD), turns)
    v = mixed[..., QUERY + KEYS:].reshape(*shape, KV_HEADS, HEAD)
    return q.reshape(*shape, KV_HEADS, GROUP, HEAD), k, v


def _finish(x, seen, layer):
    x = x + seen.reshape(*x.shape[:-1], QUERY) @ layer["out"]
    gate, up = jnp.split(_normed(x, layer["norm2"]) @ layer["wide"], 2, -1)
    return x + (jax.nn.silu(gate) * up) @ layer["down"]


def _weights(scores, allowed):
    return jax.nn.softmax(jnp.where(allowed, scores, -1e30), -1)


# ---- training -------------------------------------------------------------------------------------------------------

def hidden(params, prefix, tokens):
    """Last hidden states [N, S, WIDTH] of rows of tokens [N, S] that all follow `prefix` [P]; padding stands right."""
    first, count = prefix.shape[0], tokens.shape[1]
    turns0, turns1 = _turns(jnp.arange(first)), _turns(first + jnp.arange(count))
    causal0 = jnp.tril(jnp.ones((first, first), bool))
    causal1 = jnp.concatenate([jnp.ones((count, first), bool), jnp.tril(jnp.ones((count, count), bool))], 1)
    x0, x = params["embed"][prefix], params["embed"][tokens]
    for layer in params["layers"]:
        q0, k0, v0 = _project(x0, layer, turns0)
        q, k, v = _project(x, layer, turns1)
        own = jnp.einsum("nskgd,ntkd->nkgst", q, k)
        before = jnp.einsum("nskgd,pkd->nkgsp", q, k0)
        share = _weights(jnp.concatenate([before, own], -1), causal1)
        seen = jnp.einsum("nkgst,ntkd->nskgd", share[..., first:], v) + jnp.einsum(
            "nkgsp,pkd->nskgd", share[..., :first], v0)
        x = _finish(x, seen, layer)
        share0 = _weights(jnp.einsum("skgd,tkd->kgst", q0, k0), causal0)
        x0 = _finish(x0, jnp.einsum("kgst,tkd->skgd", share0, v0), layer)
    return _normed(x, params["norm"])


def log_probs(params, prefix, tokens):
    """Log-probability [N, S-1] of tokens[:, 1:] given all before."""
    logits = hidden(params, prefix, tokens[:, :-1]) @ params["embed"].T
    return jnp.take_along_axis(logits, tokens[:, 1:, None], -1)[..., 0] - jax.nn.logsumexp(logits, -1)


# ---- sampling -------------------------------------------------------------------------------------------------------

TURN = 32
"""Tokens a turn may have."""


def empty_state(rows: int, vocabulary: int) -> dict:
    cache = jnp.zeros((LAYERS, rows, KV_HEADS, 0, HEAD), jnp.float32)
    return {"k": cache, "v": cache, "valid": jnp.zeros((rows, 0), bool), "position": jnp.zeros(rows, jnp.int32),
            "logits": jnp.zeros((rows, vocabulary), jnp.float32)}


def _through(params, state, tokens, slot, allowed):
    """Runs tokens [B, S] whose keys go to cache slots slot..slot+S; `allowed` [B, S, T] says which slots each sees."""
    count = tokens.shape[1]
    turns = _turns(state["position"][:, None] + jnp.arange(count))
    x = params["embed"][tokens]
    keys, values = state["k"], state["v"]
    for index, layer in enumerate(params["layers"]):
        q, k, v = _project(x, layer, turns)
        keys = jax.lax.dynamic_update_slice(keys, k.transpose(0, 2, 1, 3)[None], (index, 0, 0, slot, 0))
        values = jax.lax.dynamic_update_slice(values, v.transpose(0, 2, 1, 3)[None], (index, 0, 0, slot, 0))
        share = _weights(jnp.einsum("bskgd,bktd->bkgst", q, keys[index]), allowed[:, None, None])
        x = _finish(x, jnp.einsum("bkgst,bktd->bskgd", share, values[index]), layer)
    return _normed(x, params["norm"]), keys, values


def _longer(state, more: int):
    wide = ((0, 0), (0, 0), (0, 0), (0, more), (0, 0))
    return state | {"k": jnp.pad(state["k"], wide), "v": jnp.pad(state["v"], wide),
                    "valid": jnp.pad(state["valid"], ((0, 0), (0, more)))}


@jax.jit
def feed(params, state, tokens, lengths):
    """Reads tokens [B, S] (lengths [B], padding right) and leaves the logits of what comes next."""
    slot, count = state["valid"].shape[1], tokens.shape[1]
    state = _longer(state, count)
    given = jnp.arange(count) < lengths[:, None]
    valid = jax.lax.dynamic_update_slice(state["valid"], given, (0, slot))
    seen = jnp.arange(valid.shape[1]) <= slot + jnp.arange(count)[:, None]
    x, keys, values = _through(params, state, tokens, slot, valid[:, None, :] & seen[None])
    last = jnp.take_along_axis(x, (lengths - 1)[:, None, None], 1)[:, 0]
    return {"k": keys, "v": values, "valid": valid, "position": state["position"] + lengths,
            "logits": last @ params["embed"].T}


@partial(jax.jit, static_argnames=("stops",))
def speak(params, state, key, stops):
    """Samples one turn a row at temperature 1, up to and with a stop token. (state, tokens [B, TURN], log-probs, counts)."""
    rows, slot = state["valid"].shape
    state = _longer(state, TURN)

    def running(carry):
        return (carry["at"] < TURN) & ~carry["done"].all()

    def step(carry):
        at, inner = carry["at"], carry["state"]
        logits = inner["logits"]
        noise = jax.random.gumbel(jax.random.fold_in(key, at), logits.shape)
        token = jnp.argmax(logits + noise, -1).astype(jnp.int32)
        logp = jnp.take_along_axis(logits, token[:, None], 1)[:, 0] - jax.nn.logsumexp(logits, -1)
        live = ~carry["done"]
        valid = jax.lax.dynamic_update_slice(inner["valid"], live[:, None], (0, slot + at))
        x, keys, values = _through(params, inner, token[:, None], slot + at, valid[:, None, :])
        inner = {"k": keys, "v": values, "valid": valid, "position": inner["position"] + live,
                 "logits": jnp.where(live[:, None], x[:, 0] @ params["embed"].T, logits)}
        return {"at": at + 1, "state": inner, "done": carry["done"] | jnp.isin(token, jnp.array(stops)),
                "tokens": carry["tokens"].at[:, at].set(jnp.where(live, token, 0)),
                "logps": carry["logps"].at[:, at].set(jnp.where(live, logp, 0.0)), "count": carry["count"] + live}

    end = jax.lax.while_loop(running, step, {
        "at": jnp.int32(0), "state": state, "done": jnp.zeros(rows, bool), "tokens": jnp.zeros((rows, TURN), jnp.int32),
        "logps": jnp.zeros((rows, TURN), jnp.float32), "count": jnp.zeros(rows, jnp.int32)})
    return end["state"], end["tokens"], end["logps"], end["count"]


def repeated(state, times: int):
    """Every row `times` times, side by side: one prompt, many rollouts."""
    return {name: jnp.repeat(value, times, axis=1 if name in "kv" else 0) for name, value in state.items()}


def chosen(state, rows):
    """The rows named, in that order."""
    return {name: jnp.take(value, rows, axis=1 if name in "kv" else 0) for name, value in state.items()}
