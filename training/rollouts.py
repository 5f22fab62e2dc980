"""Plays episodes: samples turns, runs the tool between them, until each rollout has answered or is cut.

One batch is one call; all rows start from their prompts, those that call the tool go on to the next turn. Owned by the
trainer; leaves out rewards.
"""
import hashlib
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from . import model
from .environment import MAX_CALLS, OBSERVED, PREFIX, Observation, Question, grade, run_call
from .tokenizer import Codec

BATCHES = (32, 64, 96, 128, 160, 192, 256)
"""Sizes of batches, so that few functions are compiled."""
READ = 32
"""Tokens an observation is padded to."""
BODY = 12


@dataclass
class Rollout:
    question: Question
    id: str
    tokens: list[int]
    """After the constant prefix of the prompt."""
    said: list[bool]
    logps: list[float]
    turns: list[str] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    stop: str = ""
    answer: int = 0
    form: int = 0

    @property
    def calls(self) -> int:
        return len(self.observations)


class Player:
    """Holds what is the same for every batch."""

    def __init__(self, codec: Codec):
        self.codec = codec
        self.prefix = np.array(codec.encode(PREFIX), np.int32)
        self.stops = (codec.end, codec.call_end)
        self._bodies: dict[str, list[int]] = {}

    def play(self, params, asked: list[Question], times: int, key, name: str, forced: list[list[int]] | None = None):
        """`times` rollouts of each question, side by side. `forced` begins each first turn (measuring only, never RL)."""
        rollouts = []
        for index, question in enumerate(asked):
            body = self._body(question)
            for copy in range(times):
                digest = hashlib.md5(f"{name} {index} {copy}".encode()).hexdigest()
                rollouts.append(Rollout(question, digest, list(body), [False] * len(body), [0.0] * len(body)))
        state = model.empty_state(len(asked), self.codec.size)
        chunks = [list(self.prefix) + self._body(question) + (forced[index] if forced else [])
                  for index, question in enumerate(asked)]
        state = model.repeated(self._feed(params, state, chunks, len(self.prefix) + BODY + (8 if forced else 0)), times)
        if forced:
            for index, rollout in enumerate(rollouts):
                start = forced[index // times]
                rollout.tokens += start
                rollout.said += [True] * len(start)
                rollout.logps += [0.0] * len(start)
        active = rollouts
        for turn in range(MAX_CALLS + 1):
            begun = self.codec.decode(forced[0]) if forced and turn == 0 else ""
            state, tokens, logps, counts = model.speak(params, state, jax.random.fold_in(key, turn), self.stops)
            tokens, logps, counts = np.asarray(tokens), np.asarray(logps), np.asarray(counts)
            going, chunks = [], []
            for row, rollout in enumerate(active):
                count = int(counts[row])
                ids = tokens[row, :count].tolist()
                rollout.tokens += ids
                rollout.said += [True] * count
                rollout.logps += logps[row, :count].tolist()
                rollout.turns.append(begun + self.codec.decode(ids))
                chunk = self._react(rollout, ids[-1], last=turn == MAX_CALLS)
                if chunk is not None:
                    going.append(row)
                    chunks.append(chunk)
            if not going:
                break
            size = next((size for size in BATCHES if size >= len(going)), len(going))
            spare = size - len(going)
            state = model.chosen(state, jnp.array(going + [going[0]] * spare))
            state = self._feed(params, state, chunks + [chunks[0]] * spare, READ)
            active = [active[row] for row in going]
            # Rows that only fill the batch are sampled and thrown away.
        for rollout in rollouts:
            rollout.answer, rollout.form = grade(rollout.turns, rollout.question)
        return rollouts

    def _body(self, question: Question) -> list[int]:
        return self._bodies.setdefault(question.body, self.codec.encode(question.body))

    def _feed(self, params, state, chunks, width: int):
        tokens = np.zeros((len(chunks), width), np.int32)
        for row, chunk in enumerate(chunks):
            tokens[row, :len(chunk)] = chunk
        return model.feed(params, state, jnp.array(tokens), jnp.array([len(chunk) for chunk in chunks]))

    def _react(self, rollout: Rollout, last_token: int, last: bool) -> list[int] | None:
        """Runs the call that ends the turn; the tokens the policy reads next, or None where the episode ends."""
        if last_token == self.codec.end:
            rollout.stop = "model_chose_to_finish_with_eos=<|im_end|>"
            return None
        if last_token != self.codec.call_end:
            rollout.stop = "max_response_length_reached"
            return None
        if last:
            # One call too many is not sent and not counted.
            rollout.stop = "max_turns_reached"
            return None
        seen = run_call(rollout.turns[-1])
        ids = self.codec.encode(OBSERVED.format(seen.text))
        if len(ids) > READ:
            rollout.stop = "max_response_length_reached"
            rollout.observations.append(seen)
            return None
        rollout.observations.append(seen)
        rollout.tokens += ids
        rollout.said += [False] * len(ids)
        rollout.logps += [0.0] * len(ids)
        return ids
