"""The vocabulary in which episodes.py is written: what the policy does, one function a deed, and marks on the calls.

A mark says what a call is there for: `flagged` by a rule of redundancy, or `near` it: alike, and not redundant.
Leaves out how a deed becomes text and log (records.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Mark:
    """`kind` is "flagged" or "near"."""

    kind: str
    rule: str
    why: str


@dataclass(frozen=True)
class Call:
    """A tool call. `thought` is the reason in front of it, `lead` the text that stands between that and the call."""

    tool: str
    arguments: dict
    thought: str
    lead: str = ""
    result: dict = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()

    def flagged(self, rule: str, why: str) -> Call:
        return replace(self, marks=(*self.marks, Mark("flagged", rule, why)))

    def near(self, rule: str, why: str) -> Call:
        return replace(self, marks=(*self.marks, Mark("near", rule, why)))

    def after(self, lead: str) -> Call:
        return replace(self, lead=lead)


@dataclass(frozen=True)
class Answer:
    thought: str
    text: str
    right: bool
    formatted: bool = True


@dataclass(frozen=True)
class Group:
    """Rollouts of one prompt; each is its calls, then its answer. A list inside a rollout is several calls in one turn."""

    name: str
    question: str
    answer: str
    rollouts: tuple[tuple, ...]
    picture: str | None = None


def python(thought: str, code: str, **result: object) -> Call:
    """Runs for real when the run is written (records.py); `result` overrides what a run cannot show, as a time limit."""
    return Call("python", {"code": code}, thought, result=dict(result))


def search(thought: str, query: str, *pages: str) -> Call:
    return Call("text_search", {"query": query}, thought, result={"pages": pages})


def image_search(thought: str, *found: tuple[str, str]) -> Call:
    """`found`: colour and label of each picture; none means that the tool refuses to search again."""
    return Call("image_search", {}, thought, result={"found": found})


def read_file(thought: str, first_line: int, last_line: int) -> Call:
    return Call("read_file", {"path": "notes.txt", "first_line": first_line, "last_line": last_line}, thought)


def append_line(thought: str, line: str) -> Call:
    return Call("append_line", {"path": "notes.txt", "line": line}, thought)


def right(thought: str, text: str, formatted: bool = True) -> Answer:
    return Answer(thought, text, True, formatted)


def wrong(thought: str, text: str) -> Answer:
    return Answer(thought, text, False)
