"""What base and start policy must show before RL may begin: measured, printed, and fatal when missed."""
import jax
import jax.numpy as jnp
import numpy as np

from . import model
from .environment import ABOUT, STRATA, Question
from .rollouts import Player


class GateMissed(Exception):
    """A policy is not what RL should start from; the message names the gates."""


def check(title: str, rows: list[tuple[str, float, float, float]], say=print) -> None:
    """Prints (name, value, least, most) and raises GateMissed unless all values lie within."""
    missed = []
    for name, value, least, most in rows:
        passed = least <= value <= most
        say(f"{title}: {'pass' if passed else 'MISS'}  {name} {value:.4f} in [{least}, {most}]")
        if not passed:
            missed.append(name)
    if missed:
        raise GateMissed(f"{title}: {', '.join(missed)}")


def _sampled(player: Player, params, pools, seed: int, count: int):
    chance = np.random.default_rng([seed, 5])
    result = {}
    for index, stratum in enumerate(STRATA):
        rollouts = []
        for part in range(count // 256):
            asked = [pools[stratum][pick] for pick in chance.integers(len(pools[stratum]), size=256)]
            key = jax.random.fold_in(jax.random.key(seed), 2_000_000 + 100 * index + part)
            rollouts += player.play(params, asked, 1, key, "gate")
        result[stratum] = rollouts
    return result


def forced_accuracy(player: Player, params, asked: list[Question], seed: int) -> float:
    """Accuracy where the first turn is made to begin with a direct answer."""
    opened = [player.codec.encode(f"<reason>{ABOUT[question.sign]}</reason>\n<answer>") for question in asked]
    rollouts = player.play(params, asked, 1, jax.random.key(seed + 3_000_000), "forced", forced=opened)
    return float(np.mean([rollout.answer for rollout in rollouts]))


def direct_probability(player: Player, params, asked: list[Question]) -> float:
    """P(<answer>) at the opener of the first turn, exact, mean over questions."""
    opener = player.codec.encode("<answer>")[0]
    rows = [player.codec.encode(f"{q.body}<reason>{ABOUT[q.sign]}</reason>\n<answer>") for q in asked]
    tokens = np.zeros((len(rows), 16), np.int32)
    for row, ids in enumerate(rows):
        tokens[row, :len(ids)] = ids
    logps = np.asarray(model.log_probs(params, player.prefix, jnp.array(tokens)))
    return float(np.mean([np.exp(logps[row, ids.index(opener) - 1]) for row, ids in enumerate(rows)]))


def check_base(player: Player, params, pools, seed: int, say=print) -> None:
    limits = {"easy": (0.95, 1), "medium": (0.85, 0.98), "borderline": (0.40, 0.70), "hard": (0, 0.05)}
    sampled = _sampled(player, params, pools, seed, 512)
    check("base", [(f"accuracy, {stratum}", float(np.mean([r.answer for r in sampled[stratum]])), *limits[stratum])
                   for stratum in STRATA], say)


def check_start(player: Player, params, pools, seed: int, say=print) -> None:
    sampled = _sampled(player, params, pools, seed, 1024)
    everything = [rollout for rollouts in sampled.values() for rollout in rollouts]
    chance = np.random.default_rng([seed, 6])
    asked = {s: [pools[s][pick] for pick in chance.integers(len(pools[s]), size=256)] for s in STRATA}
    rows = [("tool rate", float(np.mean([rollout.calls > 0 for rollout in everything])), 0.97, 0.985),
            ("tool-path accuracy", float(np.mean([r.answer for r in everything if r.calls])), 0.60, 0.85)]
    for stratum in STRATA:
        rows.append((f"P(direct), {stratum}", direct_probability(player, params, asked[stratum]),
                     0.015 if stratum == "easy" else 0.01, 0.035))
    for stratum, least, most in (("easy", 0.95, 1), ("medium", 0.85, 1), ("borderline", 0, 1), ("hard", 0, 0.10)):
        rows.append((f"forced direct accuracy, {stratum}", forced_accuracy(player, params, asked[stratum], seed),
                     least, most))
    check("start", rows, say)
