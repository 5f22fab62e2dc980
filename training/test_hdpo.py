"""Groups worked by hand, and the losses against numbers written out."""
import math

import jax.numpy as jnp
import numpy as np
import pytest

from . import hdpo

RIGHT = dict(answer=[1, 1, 0, 1], form=[1, 1, 1, 0], calls=[0, 1, 1, 3])


def test_rewards_are_the_numbers_of_a_dump():
    assert hdpo.accuracy_reward([1, 1, 0, 0], [1, 0, 1, 0]).tolist() == [1.0, 0.8999999761581421, 0.10000000149011612, 0]
    assert hdpo.tool_reward([1, 1, 0], [0, 2, 0]).tolist() == [1.0, 1 / 3, 0.0]


def test_a_group_by_hand():
    accuracy, tool = hdpo.group_advantages(**RIGHT, method=hdpo.METHODS["hdpo"])
    # r_acc = 1, 1, .1, .9: mean .75, squares .0625 .0625 .4225 .0225 sum .57, / 3, root = .435890
    assert accuracy == pytest.approx([0.573538, 0.573538, -1.491200, 0.344123], abs=2e-5)
    # r_tool of the right = 1, .5, .25: mean .583333, squares .173611 .006944 .111111 sum .291667, / 2, root .381881
    assert tool == pytest.approx([1.091089, -0.218218, 0.0, -0.872872], abs=1e-5)


@pytest.mark.parametrize("group", [
    dict(answer=[1, 1, 1], form=[1, 1, 1], calls=[1, 1, 1]),
    dict(answer=[0, 0, 0], form=[1, 1, 1], calls=[0, 1, 2]),
])
def test_equal_rewards_give_exactly_zero(group):
    for method in hdpo.METHODS.values():
        accuracy, tool = hdpo.group_advantages(**group, method=method)
        if method.alpha is None or method.gated:
            assert accuracy.tolist() == [0, 0, 0]
        assert tool.tolist() == [0, 0, 0]


def test_one_right_rollout_has_no_efficiency_advantage():
    _, tool = hdpo.group_advantages([1, 0, 0], [1, 1, 1], [0, 1, 1], hdpo.METHODS["hdpo"])
    assert tool.tolist() == [0, 0, 0]


def test_coupled_forms():
    # Unconditional: a wrong answer without calls gains alpha; gated: it does not.
    mild, _ = hdpo.group_advantages([0, 0], [1, 1], [0, 1], hdpo.METHODS["coupled-mild"])
    gated, _ = hdpo.group_advantages([0, 0], [1, 1], [0, 1], hdpo.METHODS["coupled-gated"])
    assert mild == pytest.approx([math.sqrt(0.5), -math.sqrt(0.5)], abs=1e-3)
    assert gated.tolist() == [0, 0]
    # Alpha 1.2: wrong without a call, .1 + 1.2 = 1.3, ties with right after three, 1 + .3; and beats nothing shorter.
    tied, _ = hdpo.group_advantages([0, 1], [1, 1], [0, 3], hdpo.METHODS["coupled-aggressive"])
    shorter, _ = hdpo.group_advantages([0, 1], [1, 1], [0, 2], hdpo.METHODS["coupled-aggressive"])
    assert tied.tolist() == [0, 0] and shorter[0] < 0 < shorter[1]


@pytest.mark.parametrize("ratio, advantage, loss", [
    (1.0, 2.0, -2.0), (1.5, 2.0, -2.4), (0.5, 2.0, -1.0),
    (1.5, -1.0, 1.5), (0.5, -1.0, 0.8), (5.0, -1.0, 3.0),
])
def test_dual_clip(ratio, advantage, loss):
    value = hdpo.clipped(jnp.array([[math.log(ratio)]]), jnp.zeros((1, 1)), jnp.array([[advantage]]))
    assert float(value[0, 0]) == pytest.approx(loss, rel=1e-5)


def test_the_tool_loss_is_a_mean_over_rollouts_with_signal_only():
    # Two rollouts of 2 and 4 tokens at ratio 1; the second has A_tool = 2: -(0.15 x 2) whatever the first is.
    said = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], np.float32)
    advantages = np.array([[[1.0], [-1.0]], [[0.0], [2.0]]], np.float32)
    weights = np.stack([said / 6, said * 0.15 / 4 * (advantages[1] != 0)])
    loss = hdpo.loss_sum(jnp.zeros((2, 4)), jnp.zeros((2, 4)), weights, advantages)
    assert float(loss) == pytest.approx(-(2 * 1 - 4 * 1) / 6 - 0.3, rel=1e-5)
