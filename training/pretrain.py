"""What the policy knows and does before RL: the base (direct answers), then cold start (calls nearly always).

Base: facts about all questions; of borderline ones only a part is known, of hard ones none, and there the base learns
to guess a number of plausible size. Cold start: see demonstrations.py; direct answers in it are sampled from the base.
Owned by the trainer; leaves out the gates (gates.py).
"""
import random

import jax
import jax.numpy as jnp
import numpy as np

from . import demonstrations, model, optimizer
from .environment import PREFIX, STRATA, Question, questions
from .rollouts import Player
from .tokenizer import Codec

BASE = {"steps": 6600, "rows": 64, "rate": 4e-3, "slips": False}
SLIPS = {"steps": 300, "rows": 64, "rate": 5e-4, "slips": True}
"""The base learns facts first; then, for a short while, one sum or difference in twenty is shown with a slip."""
SHARES = {"easy": 0.10, "medium": 0.41, "borderline": 0.29, "hard": 0.04, "number": 0.16}
FACTS = {"easy": 1.0, "medium": 0.95, "borderline": 0.80, "hard": 0.0}
"""SHARES of a batch by stratum, and how many of these show a fact; the others show a guess, or a slip. `number` rows ask
for a number that the question holds: what copies it also copies a result out of an observation later."""
DIGITS = 3.0
"""In cold start digits weigh three times: what is to be copied and what is known."""

COLD = {"rows": 32, "direct_rows": 32, "direct": 0.022, "episodes": 24_000,
        "shares": {"easy": 0.12, "medium": 0.38, "borderline": 0.42, "hard": 0.08},
        "answers": {"easy": 4, "medium": 24, "borderline": 24, "hard": 4}}
"""`rows` with calls and `direct_rows` without are a batch. `direct` is the share of direct answers that the weighted
mixture holds, in every stratum alike; `shares` of the direct rows keep knowledge. `answers` are batches of 256."""
COLD_STAGES = (
    {"steps": 1400, "rate": 2e-3, "cycle": STRATA},
    {"steps": 700, "rate": 2e-3, "cycle": ("easy", "medium", "medium", "medium", "borderline", "hard", "hard")},
)
"""The second stage shows more of what is still copied badly; `cycle` is the order of strata of its episodes."""


def packed(episodes, codec: Codec) -> tuple[np.ndarray, np.ndarray]:
    """(tokens [N, S], said [N, S]) of episodes without PREFIX, padded right."""
    rows = []
    for episode in episodes:
        ids, said = [], []
        for text, mine in episode.pieces:
            part = codec.encode(text)
            ids += part
            said += [mine] * len(part)
        rows.append((ids, said))
    width = max(len(ids) for ids, _ in rows)
    tokens, mask = np.zeros((len(rows), width), np.int32), np.zeros((len(rows), width), np.float32)
    for row, (ids, said) in enumerate(rows):
        tokens[row, :len(ids)], mask[row, :len(ids)] = ids, said
    return tokens, mask


def guess(question: Question, chance: random.Random) -> int:
    """A product of about the right size, which stands for not knowing it; a sum or difference with one slip."""
    if question.sign == "*":
        return min(9999, round(question.answer * chance.uniform(0.6, 1.4)))
    return abs(question.answer + chance.choice((-10, -1, 1, 10)))


def known(question: Question) -> bool:
    """Whether the base is taught the fact: of borderline ones the rows of 2 to 5, of hard ones none."""
    return question.right <= 5 if question.stratum == "borderline" else question.stratum != "hard"


def supervised(params, prefix, tokens, weights):
    logps = model.log_probs(params, prefix, tokens)
    return -(logps * weights[:, 1:]).sum() / weights[:, 1:].sum()


@jax.jit
def learn(params, memory, prefix, tokens, weights, rate):
    loss, gradient = jax.value_and_grad(supervised)(params, prefix, tokens, weights)
    params, memory = optimizer.update(params, gradient, memory, rate)
    return params, memory, loss


@jax.jit
def learn_both(params, memory, prefix, calls, said, direct, weights, rate):
    """One step on rows with calls and rows without, as one weighted mean."""
    def loss_of(params):
        parts = [(model.log_probs(params, prefix, tokens) * weight[:, 1:]).sum()
                 for tokens, weight in ((calls, said), (direct, weights))]
        return -sum(parts) / (said[:, 1:].sum() + weights[:, 1:].sum())

    loss, gradient = jax.value_and_grad(loss_of)(params)
    params, memory = optimizer.update(params, gradient, memory, rate)
    return params, memory, loss


def rate_at(step: int, settings: dict) -> jnp.ndarray:
    """A short warm-up, then half a cosine down to 0."""
    rise = min(1.0, (step + 1) / 100)
    return jnp.float32(settings["rate"] * rise * 0.5 * (1 + np.cos(np.pi * step / settings["steps"])))


def train_base(seed: int, codec: Codec, say=print):
    """The policy that knows facts, in two stages."""
    prefix = jnp.array(codec.encode(PREFIX))
    params = jax.tree.map(jnp.array, model.initial(seed, codec.size))
    for number, stage in enumerate((BASE, SLIPS), 1):
        params = _learn_facts(params, prefix, codec, stage, [seed, number], say)
    return params


def _learn_facts(params, prefix, codec: Codec, stage: dict, seeds: list[int], say):
    chance, draw = random.Random(f"base {seeds[0]}"), np.random.default_rng(seeds)
    facts = FACTS if stage["slips"] else FACTS | {"medium": 1.0}
    taught, guessed = {}, {}
    for stratum in STRATA:
        pool = questions(stratum)
        if facts[stratum] > 0:
            taught[stratum] = packed([demonstrations.direct(q, q.answer) for q in pool if known(q)], codec)
        if facts[stratum] < 1:
            unsure = [q for q in pool if not known(q)] or pool
            copies = range(-(-20_000 // len(unsure)))
            guessed[stratum] = packed([demonstrations.direct(q, guess(q, chance)) for q in unsure for _ in copies], codec)
    taught["number"] = packed([demonstrations.number(chance.randrange(10**digits)) for digits in (1, 2, 3, 4)
                               for _ in range(4000)], codec)
    width = max(part[0].shape[1] for part in (*taught.values(), *guessed.values()))
    memory = optimizer.fresh(params)
    for step in range(stage["steps"]):
        tokens, said = np.zeros((stage["rows"], width), np.int32), np.zeros((stage["rows"], width), np.float32)
        for row, kind in enumerate(draw.choice(list(SHARES), stage["rows"], p=list(SHARES.values()))):
            sure = kind not in guessed or (kind in taught and draw.random() < facts[kind])
            source = (taught if sure else guessed)[kind]
            pick, size = draw.integers(len(source[0])), source[0].shape[1]
            tokens[row, :size], said[row, :size] = source[0][pick], source[1][pick]
        params, memory, loss = learn(params, memory, prefix, tokens, said, rate_at(step, stage))
        if (step + 1) % 250 == 0:
            say(f"base: step {step + 1} of {stage['steps']}, loss {float(loss):.4f}")
    return params


def _direct_answers(params, player: Player, pool, batches: int, key) -> list:
    """Direct episodes as the base answers them, right or wrong."""
    chance, episodes = random.Random("answers"), []
    for batch in range(batches):
        asked = [chance.choice(pool) for _ in range(256)]
        for rollout in player.play(params, asked, 1, jax.random.fold_in(key, batch), "answers"):
            if rollout.form:
                episodes.append(demonstrations.Episode([(rollout.question.body, False), (rollout.turns[0], True)]))
    return episodes


def _weighed(answers, player: Player, stratum: str, cycle) -> tuple[np.ndarray, np.ndarray]:
    """Choosing a direct answer weighs little, so that 2 % remain; giving it weighs full, so that knowledge stays."""
    tokens, said = packed(answers, player.codec)
    opener = tokens == player.codec.encode("<answer>")[0]
    behind = np.cumsum(opener, 1) - opener > 0
    calls = COLD["rows"] * cycle.count(stratum) / len(cycle)
    direct = COLD["direct_rows"] * COLD["shares"][stratum]
    choice = COLD["direct"] / (1 - COLD["direct"]) * calls / direct
    return tokens, said * np.where(behind, 1.0, choice).astype(np.float32) * _stress(tokens, player.codec)


def _stress(tokens: np.ndarray, codec: Codec) -> np.ndarray:
    digits = [codec.encode(digit)[0] for digit in "0123456789"]
    return np.where(np.isin(tokens, digits), DIGITS, 1.0).astype(np.float32)


def cold_start(params, player: Player, seed: int, say=print):
    """Supervised fine-tuning on calls, in two stages; about 2 % of direct answers remain."""
    pools, key = {stratum: questions(stratum) for stratum in STRATA}, jax.random.key(seed)
    answers = {stratum: _direct_answers(params, player, pools[stratum], COLD["answers"][stratum],
                                        jax.random.fold_in(key, index)) for index, stratum in enumerate(STRATA)}
    for number, stage in enumerate(COLD_STAGES):
        params = _learn_calls(params, player, stage, answers, pools, [seed, 4 + 10 * number], say)
    return params


def _learn_calls(params, player: Player, stage: dict, answers: dict, pools: dict, seeds: list[int], say):
    cycle, draw = stage["cycle"], np.random.default_rng(seeds)
    chance = random.Random(f"cold start {seeds[0]}" + (f" {seeds[1]}" if seeds[1] > 4 else ""))
    direct = {stratum: _weighed(answers[stratum], player, stratum, cycle) for stratum in STRATA}
    calls, said = packed([demonstrations.with_calls(chance.choice(pools[cycle[index % len(cycle)]]), chance)
                          for index in range(COLD["episodes"])], player.codec)
    said = said * _stress(calls, player.codec)
    length = ((calls > 0) * np.arange(1, calls.shape[1] + 1)).max(1)
    # A batch holds episodes of like length, drawn as often as there are such: less padding, the same mixture.
    bins = [(width, np.flatnonzero((length <= width) & (length > before))) for before, width in (
        (0, 48), (48, 80), (80, calls.shape[1]))]
    bins = [(width, rows) for width, rows in bins if len(rows)]
    memory = optimizer.fresh(params)
    for step in range(stage["steps"]):
        width, members = bins[draw.choice(len(bins), p=[len(rows) / len(calls) for _, rows in bins])]
        pick = draw.choice(members, COLD["rows"])
        batch = [calls[pick, :width], said[pick, :width]]
        short = [np.zeros((COLD["direct_rows"], 24), kind) for kind in (np.int32, np.float32)]
        for row, stratum in enumerate(draw.choice(STRATA, COLD["direct_rows"], p=list(COLD["shares"].values()))):
            tokens, weights = direct[stratum]
            pick, size = draw.integers(len(tokens)), tokens.shape[1]
            short[0][row, :size], short[1][row, :size] = tokens[pick], weights[pick]
        params, memory, loss = learn_both(params, memory, player.prefix, *batch, *short, rate_at(step, stage))
        if (step + 1) % 100 == 0:
            say(f"cold start: step {step + 1} of {stage['steps']}, loss {float(loss):.4f}")
    return params
