"""The tool against hostile code, the strata, and what counts as right and as well formed."""
import json

import pytest

from .demonstrations import number, with_calls
from .environment import (PREFIX, STRATA, Question, answer_turn, call_turn, evaluate, grade, questions, run_call,
                          split_questions)


@pytest.mark.parametrize("code, printed", [
    ("print(37 + 5)", "42"), ("37 + 5", "42"), ("-(3 - 10) * 2", "14"), ("7 // 2", "3"), ("1 / 4", "0.25"),
])
def test_arithmetic(code, printed):
    assert evaluate(code) == printed


@pytest.mark.parametrize("code", [
    "9**9**9", "9" * 30, "10**100", "x", "__import__('os')", "(1).__class__", "print(1, 2)", "print(1, end='')",
    "open('a')", "[0] * 9", "'a' * 9", "1 if 1 else 2", "lambda: 1", "True", "1 << 99", "1 / 0", "print(", "", "\0",
    "(" * 50 + "1" + ")" * 50, "1e400", "~1", "1j", "999999999999 * 999999999999",
])
def test_hostile_code_is_an_error_that_is_text(code):
    seen = run_call(call_turn("A sum.", code))
    assert seen.valid and not seen.success and "Error" in seen.text


def test_a_call_that_is_no_call():
    for body in ("{", '{"name": "search", "arguments": {"code": "1"}}', '{"name": "python"}', "[]", "7"):
        seen = run_call(f"<tool_call>\n{body}\n</tool_call>")
        assert (seen.valid, seen.success, seen.text) == (False, False, "")


def test_strata_are_what_they_say():
    sizes = {"easy": (1, 1), "medium": (2, None), "borderline": (2, 1), "hard": (2, 2)}
    for stratum in STRATA:
        pool = questions(stratum)
        left, right = sizes[stratum]
        assert len(set(pool)) == len(pool)
        for question in pool:
            assert len(str(question.left)) == left and right in (None, len(str(question.right)))
            assert question.answer == eval(question.expression) and question.answer >= 0


def test_held_out_questions_are_never_trained_on():
    train, test = split_questions()
    for stratum in STRATA:
        assert not set(train[stratum]) & set(test[stratum]) and len(test[stratum]) == 64


def test_grading():
    question = Question("easy", 3, "+", 4)
    good = answer_turn("A sum.", 7)
    assert grade([good], question) == (1, 1)
    assert grade([answer_turn("A sum.", 8)], question) == (0, 1)
    assert grade(["<answer>7</answer><|im_end|>"], question) == (1, 0)
    assert grade([good.replace("<|im_end|>", "")], question) == (1, 0)
    assert grade([call_turn("A sum.", "3 + 4")], question) == (0, 0)
    assert grade([good + answer_turn("A sum.", 8)], question) == (1, 0)


def test_demonstrations_show_what_the_tool_really_returned():
    import random
    chance = random.Random(0)
    for question in questions("medium")[::97]:
        pieces = with_calls(question, chance).pieces
        for (turn, said), (seen, _) in zip(pieces[1:], pieces[2:]):
            if said and "<tool_call>" in turn:
                call = json.loads(turn.split("<tool_call>\n")[1].split("\n</tool_call>")[0])
                assert call["name"] == "python" and run_call(turn).text in seen


def test_a_number_is_its_own_answer():
    (asked, _), (said, mine) = number(3901).pieces
    assert (PREFIX + asked).split("user\n")[1].startswith("What is 3901?<|im_end|>")
    assert mine and said.endswith("<answer>3901</answer><|im_end|>")
