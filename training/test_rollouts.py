"""The sampler and the trainer are two programs over the same weights: they must agree on every log-probability."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from . import demonstrations, hdpo, model, optimizer, rl, tokenizer
from .environment import questions
from .rollouts import Player


@pytest.fixture(scope="module")
def played():
    some = questions("easy")[::20]
    codec = tokenizer.Codec(tokenizer.train_tokenizer(tokenizer.corpus(demonstrations.demonstrate, some, 300)))
    player, params = Player(codec), jax.tree.map(jnp.array, model.initial(0, codec.size))
    return player, params, player.play(params, some[:4], 2, jax.random.key(0), "test")


def test_log_probs_of_sampler_and_trainer_agree(played):
    player, params, rollouts = played
    for rollout in rollouts:
        logps = model.log_probs(params, player.prefix, np.array([rollout.tokens], np.int32))[0]
        for mine, sampled, said in zip(logps, rollout.logps[1:], rollout.said[1:]):
            assert not said or abs(float(mine) - sampled) < 1e-4


def test_names_and_shapes_survive(played):
    _, params, _ = played
    flat = model.to_llama(params)
    assert flat["model.layers.3.self_attn.k_proj.weight"].shape == (48, 96)
    assert flat["model.layers.0.mlp.down_proj.weight"].shape == (96, 256)
    again = model.from_llama(flat)
    assert all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(params), jax.tree.leaves(again)))


def test_chunks_of_a_mini_batch_add_up(played, monkeypatch):
    player, params, rollouts = played
    batch = [(rollout, float(np.sin(row)), float(row % 3)) for row, rollout in enumerate(rollouts)]
    memory = optimizer.fresh(params)
    whole = rl.update_batch(params, memory, player, batch, 0.15, 1e-3)
    monkeypatch.setattr(rl, "CHUNK", 3)
    parts = rl.update_batch(params, memory, player, batch, 0.15, 1e-3)
    assert float(whole[2]) == pytest.approx(float(parts[2]), rel=1e-3)


def test_a_mini_batch_without_advantages_moves_nothing_but_decay(played):
    player, params, rollouts = played
    batch = [(rollout, 0.0, 0.0) for rollout in rollouts]
    _, _, size = rl.update_batch(params, optimizer.fresh(params), player, batch, hdpo.METHODS["hdpo"].tool_weight, 1e-3)
    assert float(size) == 0
