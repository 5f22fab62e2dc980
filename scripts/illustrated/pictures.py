"""The pictures of the illustrated run, drawn with Pillow: a museum sign, a chart with a small plot in it, a radio.

Sizes are multiples of 28 pixels, the side of what Qwen's vision encoder makes one image pad of. Leaves out what the
episodes do with them (episodes.py).
"""

from __future__ import annotations

import base64
import io
import math

from PIL import Image, ImageDraw, ImageFont

PAD_SIDE = 28

INK, PAPER, GREEN, GREY = "#22303a", "#fbfaf6", "#1f4d43", "#9aa5ab"
PUMPS = (("P1", 5), ("P2", 6), ("P3", 3), ("P4", 7), ("P5", 4))


def text(draw: ImageDraw.ImageDraw, at: tuple[int, int], words: str, size: int, fill: str) -> None:
    # Pillow's own font, so that every machine draws the same.
    draw.text(at, words, font=ImageFont.load_default(size), fill=fill)


def sign() -> Image.Image:
    """Every word of it can be read as it is: no crop shows more."""
    picture = Image.new("RGB", (560, 392), "#cfd6d8")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((88, 340, 112, 392), fill=GREY)
    draw.rectangle((448, 340, 472, 392), fill=GREY)
    draw.rounded_rectangle((28, 28, 532, 344), 14, fill=GREEN)
    text(draw, (60, 44), "Harbour Museum", 44, PAPER)
    hours = (("Monday", "closed"), ("Tue, Wed", "10:00 to 17:00"), ("Thursday", "10:00 to 21:00"), ("Fri to Sun", "10:00 to 18:00"))
    for row, (day, open_hours) in enumerate(hours):
        text(draw, (60, 120 + 52 * row), day, 34, PAPER)
        text(draw, (260, 120 + 52 * row), open_hours, 34, PAPER)
    return picture


def chart() -> Image.Image:
    """A curve whose labels are easy to read, and a plot of five bars whose labels are not before they are enlarged."""
    picture = Image.new("RGB", (672, 448), PAPER)
    draw = ImageDraw.Draw(picture)
    text(draw, (24, 14), "Water level of the harbour basin", 26, INK)
    draw.line((64, 64, 64, 400), fill=INK, width=2)
    draw.line((64, 400, 648, 400), fill=INK, width=2)
    for hour in range(0, 25, 6):
        text(draw, (56 + hour * 23, 408), f"{hour} h", 18, INK)
    curve = [(64 + 4 * x, 290 - 90 * math.sin(x / 146 * 2 * math.pi) - 25 * math.sin(x / 19)) for x in range(146)]
    draw.line(curve, fill="#2f6f9f", width=3)
    left, top = 548, 84
    draw.rectangle((left, top, left + 84, top + 62), fill="white", outline=GREY)
    text(draw, (left + 4, top + 1), "hours run", 8, INK)
    for bar, (pump, hours) in enumerate(PUMPS):
        x = left + 6 + 15 * bar
        draw.rectangle((x, top + 50 - 5 * hours, x + 9, top + 50), fill="#b5651d")
        text(draw, (x, top + 51), pump, 7, INK)
    return picture


def radio() -> Image.Image:
    """A table radio without a name on it."""
    picture = Image.new("RGB", (448, 336), "#d9d4c7")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 270, 448, 336), fill="#8a6f52")
    draw.rounded_rectangle((60, 84, 388, 280), 22, fill="#6b3f23", outline="#3d2413", width=4)
    for line in range(9):
        draw.line((90, 112 + 16 * line, 240, 112 + 16 * line), fill="#caa36a", width=5)
    draw.ellipse((270, 112, 360, 202), fill=PAPER, outline="#caa36a", width=5)
    draw.line((315, 157, 344, 130), fill="#b03a2e", width=4)
    for knob in (288, 342):
        draw.ellipse((knob - 14, 220, knob + 14, 248), fill="#caa36a")
    return picture


def thumbnail(hue: str, label: str) -> Image.Image:
    """What an image search brings back: small, with the model's name on it."""
    picture = Image.new("RGB", (112, 84), "#ece8de")
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((14, 16, 98, 62), 6, fill=hue)
    draw.ellipse((66, 24, 92, 50), fill=PAPER)
    text(draw, (16, 65), label, 13, INK)
    return picture


def pads(picture: Image.Image) -> str:
    """The placeholder of a picture in decoded text: one pad for each square of 28 pixels, at least one."""
    columns, rows = (max(1, round(side / PAD_SIDE)) for side in picture.size)
    return f"<|vision_start|>{'<|image_pad|>' * (columns * rows)}<|vision_end|>"


def data_uri(picture: Image.Image) -> str:
    """As Metis dumps it: the whole PNG in base64. Few colours, so a palette halves it."""
    buffer = io.BytesIO()
    picture.quantize(48, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


# By the name that a group gives them.
PICTURES = {"sign": sign, "chart": chart, "radio": radio}
