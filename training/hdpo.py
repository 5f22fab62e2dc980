"""The arithmetic of HDPO and of the coupled rewards it replaces: rewards, group advantages, the clipped losses.

Advantages are float64 with the equality test max - min <= 1e-6, which gives exactly 0. Owned by the trainer; leaves
out sampling and the optimiser.
"""
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

EPSILON, EQUAL = 1e-6, 1e-6
CLIP, DUAL_CLIP = 0.2, 3.0


@dataclass(frozen=True)
class Method:
    """What a run optimises; `alpha` and `gated` belong to coupled rewards, None means two channels."""

    tool_weight: float = 0.0
    alpha: float | None = None
    gated: bool = False


METHODS = {
    "hdpo": Method(tool_weight=0.15),
    "grpo": Method(),
    "coupled-mild": Method(alpha=0.05),
    "coupled-aggressive": Method(alpha=1.2),
    "coupled-gated": Method(alpha=0.3, gated=True),
}


def accuracy_reward(answer, form) -> np.ndarray:
    """0.9 r_ans + 0.1 r_fmt as the float32 that a dump holds, so 0.8999999761581421."""
    table = np.array([[0.0, 0.1], [0.9, 1.0]], np.float32)
    return table[np.asarray(answer), np.asarray(form)].astype(np.float64)


def tool_reward(answer, calls) -> np.ndarray:
    return np.where(np.asarray(answer) > 0, 1.0 / (np.asarray(calls, np.float64) + 1), 0.0)


def normalised(values: np.ndarray) -> np.ndarray:
    """(x - mean) / (sample std + 1e-6) of one group, exactly 0 where all are equal."""
    if len(values) < 2 or values.max() - values.min() <= EQUAL:
        return np.zeros(len(values))
    return (values - values.mean()) / (values.std(ddof=1) + EPSILON)


def group_advantages(answer, form, calls, method: Method) -> tuple[np.ndarray, np.ndarray]:
    """(accuracy channel, efficiency channel) of one group of rollouts of one prompt; a coupled reward has only one."""
    accuracy, tool = accuracy_reward(answer, form), tool_reward(answer, calls)
    none = np.zeros(len(accuracy))
    if method.alpha is not None:
        bonus = tool if method.gated else 1.0 / (np.asarray(calls, np.float64) + 1)
        return normalised(accuracy + method.alpha * bonus), none
    qualifies = tool > 0
    efficiency = none
    efficiency[qualifies] = normalised(tool[qualifies])
    return normalised(accuracy), efficiency


def clipped(logps, sampled, advantages):
    """Dual-clipped policy loss of each token; all [N, S]."""
    ratio = jnp.exp(jnp.clip(logps - sampled, -20.0, 20.0))
    plain = jnp.maximum(-advantages * ratio, -advantages * jnp.clip(ratio, 1 - CLIP, 1 + CLIP))
    return jnp.where(advantages < 0, jnp.minimum(plain, -advantages * DUAL_CLIP), plain)


def loss_sum(logps, sampled, weights, advantages):
    """One chunk's part of `w_acc L(A_acc) + w_tool L(A_tool)`.

    logps, sampled [N, S]; `weights` (2 of [N, S]) hold mask x channel weight / tokens of the mini-batch that the
    channel averages over (all, or those of rollouts with A_tool != 0); `advantages` is 2 of [N, 1]. Chunks add up to
    the token mean of the mini-batch.
    """
    return sum((weight * clipped(logps, sampled, advantage)).sum() for weight, advantage in zip(weights, advantages))
