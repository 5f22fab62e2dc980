"""The world of the toy policy: arithmetic questions in four strata, a python tool, and the text of every turn.

Text is what Metis writes: Qwen chat markers, <reason>, <tool_call> with JSON, <answer>, the observation as a user
turn. Owned by the trainer; leaves out tokens (tokenizer.py) and rewards (hdpo.py).
"""
import ast
import json
import operator
import random
import re
from dataclasses import dataclass

STRATA = ("easy", "medium", "borderline", "hard")
MAX_CALLS = 3

SYSTEM = "You may call python."
PREFIX = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\nWhat is "
ASKED = "?<|im_end|>\n<|im_start|>assistant\n"
OBSERVED = "<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"

ABOUT = {"+": "A sum.", "-": "A difference.", "*": "A product."}
"""The reason of a first turn names the operation only, so that the choice is made at the opener behind it."""
KNOWN = "Now it is known."
"""The reason of the turn that says a result."""


@dataclass(frozen=True)
class Question:
    stratum: str
    left: int
    sign: str
    right: int

    @property
    def expression(self) -> str:
        return f"{self.left} {self.sign} {self.right}"

    @property
    def answer(self) -> int:
        return {"+": operator.add, "-": operator.sub, "*": operator.mul}[self.sign](self.left, self.right)

    @property
    def body(self) -> str:
        """What follows PREFIX in the prompt."""
        return self.expression + ASKED

    @property
    def prompt(self) -> str:
        return PREFIX + self.body


def questions(stratum: str) -> list[Question]:
    """Every question of a stratum, in a fixed order; differences are never negative."""
    one, two = range(1, 10), range(10, 100)
    pairs = {
        "easy": [(a, sign, b) for sign in "+-*" for a in one for b in one],
        "medium": [(a, sign, b) for sign in "+-" for a in two for b in range(1, 100)],
        "borderline": [(a, "*", b) for a in two for b in range(2, 10)],
        "hard": [(a, "*", b) for a in two for b in two],
    }[stratum]
    return [Question(stratum, a, sign, b) for a, sign, b in pairs if sign != "-" or a >= b]


def split_questions(held_out: int = 64) -> tuple[dict[str, list[Question]], dict[str, list[Question]]]:
    """(for RL, held out for the table), the same for every seed. The base has read facts about both."""
    train, test = {}, {}
    for stratum in STRATA:
        pool = questions(stratum)
        random.Random(f"held out {stratum}").shuffle(pool)
        test[stratum], train[stratum] = pool[:held_out], pool[held_out:]
    return train, test


# ---- the tool -------------------------------------------------------------------------------------------------------

_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
              ast.Mod: operator.mod, ast.Div: operator.truediv}
_LONGEST_CODE = 60
_LARGEST = 10**12


def evaluate(code: str) -> str:
    """The value of an expression, or of print(expression), as text. Raises for all else: no names, calls or powers."""
    if len(code) > _LONGEST_CODE:
        raise ValueError("code is too long")
    tree = ast.parse(code.strip(), mode="eval").body
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "print":
        if tree.keywords or len(tree.args) != 1:
            raise TypeError("print takes one value")
        tree = tree.args[0]
    return str(_value(tree))


def _value(node: ast.expr) -> int | float:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        value = node.value
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = -_value(node.operand)
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        value = _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    else:
        raise ValueError("only numbers and + - * / // %")
    if abs(value) > _LARGEST:
        raise OverflowError("the number is too large")
    return value


@dataclass(frozen=True)
class Observation:
    """What a call brought back; `valid` is false where no tool could be found in the call."""

    text: str
    valid: bool
    success: bool
    code: str | None


_CALL = re.compile(r"<tool_call>\n(.*)\n</tool_call>$", re.S)


def run_call(turn: str) -> Observation:
    """Runs the call that ends a turn. Never raises: errors come back as text, as an interpreter prints them."""
    found = _CALL.search(turn)
    try:
        call = json.loads(found.group(1)) if found else None
        code = call["arguments"]["code"] if call["name"] == "python" else None
    except (ValueError, TypeError, KeyError):
        code = None
    if not isinstance(code, str):
        return Observation("", valid=False, success=False, code=None)
    try:
        return Observation(_printed(evaluate(code), ""), valid=True, success=True, code=code)
    except SyntaxError as error:
        message = f"SyntaxError: {error.msg}"
    except (ValueError, TypeError, ArithmeticError, RecursionError, MemoryError) as error:
        message = f"{type(error).__name__}: {error}"
    return Observation(_printed("", message), valid=True, success=False, code=code)


def _printed(stdout: str, stderr: str) -> str:
    return f"Code execution result:\nstdout:\n```\n{stdout}\n```\n\nstderr:\n```\n{stderr}\n```"


# ---- turns ----------------------------------------------------------------------------------------------------------

def call_turn(reason: str, code: str) -> str:
    call = json.dumps({"name": "python", "arguments": {"code": code}})
    return f"<reason>{reason}</reason>\n<tool_call>\n{call}\n</tool_call>"


def answer_turn(reason: str, answer: int | str) -> str:
    return f"<reason>{reason}</reason>\n<answer>{answer}</answer><|im_end|>"


_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.S)
_FORMAT = re.compile(r"<reason>[^<]*</reason>\n<answer>[^<]*</answer><\|im_end\|>")


def grade(turns: list[str], question: Question) -> tuple[int, int]:
    """(r_ans, r_fmt) of the policy's turns: the first answer counts; the last turn must be a reason and an answer."""
    found = _ANSWER.search("\n".join(turns))
    right = found is not None and found.group(1).strip() == str(question.answer)
    return int(right), int(_FORMAT.fullmatch(turns[-1]) is not None)
