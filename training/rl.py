"""One run of reinforcement learning from the start policy: sample, reward, two mini-batch updates, dump.

The same seed gives the same questions and random numbers to every method. Owned by the trainer; the arithmetic is
hdpo.py's.
"""
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from . import dump, hdpo, model, optimizer
from .environment import STRATA, Question
from .evaluate import measure, summary
from .rollouts import Player, Rollout

SETTINGS = {"steps": 110, "prompts": 16, "rollouts": 16, "mini_batches": 2, "rate": 2e-4}
"""`rate` falls linearly to 0 over the steps."""
CHUNK = 32
"""Rows a gradient is computed for at once; chunks of a mini-batch add up."""


def objective(params, prefix, tokens, sampled, weights, advantages):
    logps = model.log_probs(params, prefix, tokens)
    return hdpo.loss_sum(logps, sampled, weights, advantages)


add_gradient = jax.jit(lambda params, total, *rest: jax.tree.map(
    jnp.add, total, jax.grad(objective)(params, *rest)))
move = jax.jit(lambda params, gradient, memory, rate: (
    *optimizer.update(params, gradient, memory, rate), optimizer.norm(gradient)))


def update_batch(params, memory, player: Player, batch: list[tuple[Rollout, float, float]], tool_weight: float, rate):
    """One step of the optimiser on a mini-batch of (rollout, A_acc, A_tool)."""
    length = [sum(rollout.said) for rollout, _, _ in batch]
    signal = [length[row] for row, (_, _, tool) in enumerate(batch) if tool != 0]
    scale = 1.0 / sum(length), (tool_weight / sum(signal) if signal else 0.0)
    # A rollout without advantage adds exactly nothing to the gradient; its tokens still count in the mean.
    rows = [row for row, (_, accuracy, tool) in enumerate(batch) if accuracy != 0 or (tool != 0 and tool_weight)]
    rows.sort(key=lambda row: len(batch[row][0].tokens))
    total = jax.tree.map(jnp.zeros_like, params)
    for first in range(0, len(rows), CHUNK):
        part = [batch[row] for row in rows[first:first + CHUNK]]
        width = -(-max(len(rollout.tokens) for rollout, _, _ in part) // 8) * 8 + 1
        tokens = np.zeros((CHUNK, width), np.int32)
        sampled, said = np.zeros((2, CHUNK, width - 1), np.float32)
        advantages = np.zeros((2, CHUNK, 1), np.float32)
        for row, (rollout, accuracy, tool) in enumerate(part):
            count = len(rollout.tokens)
            tokens[row, :count] = rollout.tokens
            sampled[row, :count - 1] = rollout.logps[1:]
            said[row, :count - 1] = rollout.said[1:]
            advantages[:, row, 0] = accuracy, tool
        weights = np.stack([said * scale[0], said * scale[1] * (advantages[1] != 0)])
        total = add_gradient(params, total, player.prefix, tokens, sampled, weights, advantages)
    return move(params, total, memory, jnp.float32(rate))


def questions_of(step: int, seed: int, pools: dict[str, list[Question]]) -> list[Question]:
    """Different questions, equally many of each stratum; depends on seed and step only."""
    draw = np.random.default_rng([seed, 2, step])
    share = SETTINGS["prompts"] // len(STRATA)
    return [pools[stratum][pick] for stratum in STRATA for pick in draw.choice(len(pools[stratum]), share, False)]


def train(run: str, params, player: Player, *, seed: int, folder: Path, pools, held_out, say=print):
    """Runs all steps of a method and yields (step, params) after each."""
    method, steps, times = hdpo.METHODS[run], SETTINGS["steps"], SETTINGS["rollouts"]
    writer = dump.Writer(folder, run)
    params = jax.tree.map(jnp.array, params)
    memory = optimizer.fresh(params)
    writer.metrics({"step": 0, "held_out": measure(player, params, held_out, seed)})
    for step in range(1, steps + 1):
        began, cpu = time.time(), time.process_time()
        asked = questions_of(step, seed, pools)
        key = jax.random.fold_in(jax.random.key(seed), step)
        rollouts = player.play(params, asked, times, key, f"{seed} {run} {step}")
        sampled_at = time.time()
        channels = [hdpo.group_advantages(*_outcomes(rollouts[first:first + times]), method)
                    for first in range(0, len(rollouts), times)]
        accuracy, tool = (np.concatenate(parts) for parts in zip(*channels))
        order = np.random.default_rng([seed, 3, step]).permutation(len(rollouts))
        batches = np.array_split(order, SETTINGS["mini_batches"])
        rate = SETTINGS["rate"] * (1 - (step - 1) / steps)
        for batch in batches:
            members = [(rollouts[row], accuracy[row], tool[row]) for row in batch]
            params, memory, size = update_batch(params, memory, player, members, method.tool_weight, rate)
        size = float(size)
        _write(writer, player, step, rollouts, order, batches, accuracy, tool)
        record = {"step": step, "gradient_norm": round(size, 5), "seconds": [
            round(sampled_at - began, 2), round(time.time() - sampled_at, 2)],
            "cpu_seconds": round(time.process_time() - cpu, 2)}
        for index, stratum in enumerate(STRATA):
            share = len(rollouts) // len(STRATA)
            some = summary(rollouts[index * share:(index + 1) * share])
            record[stratum] = {name: some[name] for name in ("tool_rate", "calls", "accuracy")}
        if step == steps:
            record["held_out"] = measure(player, params, held_out, seed)
        writer.metrics(record)
        if step % 5 == 0 or step == 1:
            rates = ", ".join(f"{s} {record[s]['tool_rate']:.2f}/{record[s]['accuracy']:.2f}" for s in STRATA)
            say(f"seed {seed} {run}: step {step} of {steps}, tool rate/accuracy {rates}, "
                f"{sum(record['seconds']):.1f} s")
        yield step, params
    _probe(writer, run, player, params, rollouts, order, steps)
    writer.close()


def _outcomes(group: list[Rollout]):
    return ([r.answer for r in group], [r.form for r in group], [r.calls for r in group])


def _write(writer, player, step, rollouts, order, batches, accuracy, tool) -> None:
    scores = hdpo.accuracy_reward([r.answer for r in rollouts], [r.form for r in rollouts])
    lines = [dump.line_of(rollouts[row], scores[row], step) for row in order]
    batch_of = np.concatenate([np.full(len(batch), index) for index, batch in enumerate(batches)])
    writer.step(step, lines, [(accuracy[row], tool[row], batch_of[at]) for at, row in enumerate(order)])
    if step == 1:
        for at in range(8):
            rollout = rollouts[order[at]]
            writer.tokens(_record(player, rollout, step, at, "start", rollout.logps))


def _probe(writer, run, player, params, rollouts, order, step) -> None:
    """A few rollouts of the last step, scored by the final checkpoint, which is one update later than their sampler."""
    for at in range(8):
        rollout = rollouts[order[at]]
        logps = np.asarray(model.log_probs(params, player.prefix, np.array([rollout.tokens], np.int32)))[0]
        scored = [0.0] + [float(logp) if said else 0.0 for logp, said in zip(logps, rollout.said[1:])]
        writer.tokens(_record(player, rollout, step, at, run, scored))


def _record(player: Player, rollout: Rollout, step: int, row: int, checkpoint: str, logps) -> dict:
    """Ids of prompt and response; `said` is 1 where the policy sampled, `logps` is 0 elsewhere."""
    before = player.prefix.tolist()
    return {"step": step, "row": row, "checkpoint": checkpoint, "tokens": before + rollout.tokens,
            "said": [0] * len(before) + [int(said) for said in rollout.said],
            "logps": [0.0] * len(before) + [float(logp) for logp in logps]}
