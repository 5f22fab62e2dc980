"""The tools of the episodes: python that really runs (in a state that lasts for the rollout), searches over made-up
pages, and a file that can be read and appended to. One `Tools` a rollout; each answer is what its server would send.

Only code from episodes.py runs here. Leaves out how an answer is logged (records.py).
"""

from __future__ import annotations

import contextlib
import io
import traceback
from dataclasses import dataclass, field

from PIL import Image

from episodes import NOTE_LINES, PAGES
from pictures import thumbnail
from words import Call


@dataclass
class Result:
    """What a tool server sends back; pictures stand behind the text, or at each `<image>` in it."""

    text: str
    metrics: dict
    pictures: list[Image.Image] = field(default_factory=list)
    timeout: bool = False
    milliseconds: float = 40.0


class Plots:
    """What `plt` does in a notebook: pictures are shown in the order of `show`."""

    def __init__(self) -> None:
        self.shown: list[Image.Image] = []
        self._open: Image.Image | None = None

    def imshow(self, picture: Image.Image) -> None:
        self._open = picture

    def show(self) -> None:
        if self._open is not None:
            self.shown.append(self._open)
        self._open = None


class Tools:
    def __init__(self, picture: Image.Image | None) -> None:
        self._plots = Plots()
        self._names = {"plt": self._plots, **({"image_1": picture} if picture else {})}
        self._lines = list(NOTE_LINES)

    def run(self, call: Call) -> Result:
        answer = {
            "python": self._python,
            "text_search": self._text_search,
            "image_search": self._image_search,
            "read_file": self._read_file,
            "append_line": self._append_line,
        }[call.tool]
        return answer(call)

    def _python(self, call: Call) -> Result:
        code = call.arguments["code"]
        lines = len(code.strip().split("\n"))
        late = call.result.get("timeout")
        if late:
            metrics = {"code_success": False, "code_lines": lines}
            return Result(printed("", late), metrics, timeout=True, milliseconds=10_000.0)
        output, error = io.StringIO(), ""
        self._plots.shown = []
        try:
            with contextlib.redirect_stdout(output):
                exec(compile(code, "<string>", "exec"), self._names)
        except Exception as raised:  # noqa: BLE001 - whatever the code raises is what the policy is shown
            error = error_text(raised)
        pictures = self._plots.shown
        text = printed(output.getvalue().rstrip("\n"), error) + ("\n\nImages:\n" if pictures else "")
        return Result(text, {"code_success": error == "", "code_lines": lines}, pictures)

    def _text_search(self, call: Call) -> Result:
        pages = [PAGES[name] for name in call.result["pages"]]
        found = "".join(
            f"Page {number}. [Title: {title}](Link: {link})\nSnippet: {snippet}\n\n"
            for number, (title, link, snippet) in enumerate(pages, 1)
        )
        head = f"A Google search for '{call.arguments['query']}' found {len(pages)} results:\n\n## Web Results\n"
        return Result(head + found.removesuffix("\n"), {"search_success": True}, milliseconds=900.0)

    def _image_search(self, call: Call) -> Result:
        found = call.result["found"]
        if not found:
            refusal = "The image search for this image was done before. Do not call image_search again."
            return Result(refusal, {"deduplicated": True})
        items = "".join(f"{number}. <image>\n[title] {label}\n" for number, (_, label) in enumerate(found, 1))
        head = f"A Google image search for the image found {len(found)} results:\n\n## Web Results\n"
        pictures = [thumbnail(hue, label) for hue, label in found]
        return Result(head + items, {"search_success": True}, pictures, milliseconds=1100.0)

    def _read_file(self, call: Call) -> Result:
        first, last = call.arguments["first_line"], call.arguments["last_line"]
        lines = self._lines[first - 1 : last]
        return Result("\n".join(f"{first + index}: {line}" for index, line in enumerate(lines)), {})

    def _append_line(self, call: Call) -> Result:
        self._lines.append(call.arguments["line"])
        return Result("OK", {})


def printed(stdout: str, stderr: str) -> str:
    return f"Code execution result:\nstdout:\n```\n{stdout}\n```\n\nstderr:\n```\n{stderr}\n```"


def error_text(raised: Exception) -> str:
    """The traceback without our own frames, as the interpreter would print it."""
    frames = [frame for frame in traceback.extract_tb(raised.__traceback__) if frame.filename == "<string>"]
    head = ["Traceback (most recent call last):\n", *traceback.format_list(frames)] if frames else []
    return "".join([*head, *traceback.format_exception_only(raised)]).rstrip("\n")
