"""Episodes written for supervised learning: how a careless user of the tool works.

Every observation is what the tool really returned. The mixture is the one place that sets what cold start teaches;
what the policy then does is sampled.
"""
import random
from dataclasses import dataclass

from .environment import ABOUT, ASKED, KNOWN, OBSERVED, PREFIX, Question, answer_turn, call_turn, run_call

MIXTURE = (
    ("clean", 0.58),
    ("repeated", 0.14),
    ("verified", 0.13),
    ("fixed", 0.08),
    ("miscopied", 0.04),
    ("ignored", 0.03),
)
"""Shares among episodes with calls: one clean call; the same call twice; a second call to verify; a syntax error, then
a fix; an operand copied wrongly; a result ignored."""


@dataclass(frozen=True)
class Episode:
    """Pieces after PREFIX in order; `said` is true for what the policy writes."""

    pieces: list[tuple[str, bool]]

    @property
    def text(self) -> str:
        return PREFIX + "".join(text for text, _ in self.pieces)


def direct(question: Question, answer: int | str) -> Episode:
    return Episode([(question.body, False), (answer_turn(ABOUT[question.sign], answer), True)])


def number(value: int) -> Episode:
    """A question that holds its answer: what the policy must be able to do with a result, too."""
    return Episode([(f"{value}{ASKED}", False), (answer_turn(KNOWN, value), True)])


def with_calls(question: Question, chance: random.Random) -> Episode:
    kind = chance.choices([name for name, _ in MIXTURE], [share for _, share in MIXTURE])[0]
    code = f"print({question.expression})"
    about = ABOUT[question.sign]
    pieces: list[tuple[str, bool]] = [(question.body, False)]

    def call(reason: str, source: str) -> str:
        turn = call_turn(reason, source)
        seen = run_call(turn)
        pieces.extend([(turn, True), (OBSERVED.format(seen.text), False)])
        return seen.text.split("```")[1].strip()

    if kind == "fixed":
        call(about, code[:-1])
        result = call("Fix the bracket.", code)
    elif kind == "miscopied":
        result = call(about, f"print({_miscopied(question, chance)})")
    else:
        result = call(about, code)
    if kind == "repeated":
        result = call("Run it again.", code)
    elif kind == "verified":
        call("Check it.", f"print({_check(question)})")
    elif kind == "ignored":
        result = str(abs(question.answer + chance.choice((-10, -2, -1, 1, 2, 10))))
    pieces.append((answer_turn(KNOWN, result), True))
    return Episode(pieces)


def demonstrate(question: Question, chance: random.Random) -> Episode:
    """Either kind in equal parts: what the tokenizer learns from."""
    return direct(question, question.answer) if chance.random() < 0.5 else with_calls(question, chance)


def _check(question: Question) -> str:
    if question.sign == "-":
        return f"{question.right} + {question.answer}"
    return f"{question.right} {question.sign} {question.left}"


def _miscopied(question: Question, chance: random.Random) -> str:
    """The expression with one digit of one operand changed."""
    digits = [index for index, letter in enumerate(question.expression) if letter.isdigit()]
    place = chance.choice(digits)
    wrong = chance.choice([digit for digit in "123456789" if digit != question.expression[place]])
    return question.expression[:place] + wrong + question.expression[place + 1:]
