"""AdamW on a tree of arrays, with the global gradient norm clipped to 1."""
import jax
import jax.numpy as jnp

BETAS, EPSILON, DECAY, LARGEST_NORM = (0.9, 0.95), 1e-8, 0.01, 1.0


def fresh(params) -> dict:
    zeros = jax.tree.map(jnp.zeros_like, params)
    return {"count": jnp.int32(0), "mean": zeros, "square": zeros}


def norm(gradient):
    return jnp.sqrt(sum(jnp.sum(part * part) for part in jax.tree.leaves(gradient)))


def update(params, gradient, memory, rate):
    """(params, memory) after one step; decay spares vectors (norms)."""
    size = norm(gradient)
    scale = jnp.minimum(1.0, LARGEST_NORM / (size + 1e-6))
    count = memory["count"] + 1
    mean = jax.tree.map(lambda m, g: BETAS[0] * m + (1 - BETAS[0]) * g * scale, memory["mean"], gradient)
    square = jax.tree.map(lambda s, g: BETAS[1] * s + (1 - BETAS[1]) * (g * scale) ** 2, memory["square"], gradient)
    fix1, fix2 = 1 - BETAS[0] ** count, 1 - BETAS[1] ** count

    def moved(p, m, s):
        decay = DECAY if p.ndim > 1 else 0.0
        return p - rate * ((m / fix1) / (jnp.sqrt(s / fix2) + EPSILON) + decay * p)

    return jax.tree.map(moved, params, mean, square), {"count": count, "mean": mean, "square": square}
