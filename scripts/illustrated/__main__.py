"""`python scripts/illustrated` writes media/sample/illustrated/ from episodes.py, with Pillow 13.0.0 and Python 3.11.

Writes the two runs, their README with the pictures of the prompts (a Metis dump has only their pads), and for the tests
the list of what is marked. Running it again changes nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

from episodes import METIS_GROUPS, VERL_GROUPS
from pictures import PICTURES
from records import marks_of, metis_records, verl_records

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "media" / "sample" / "illustrated"
MARKS = ROOT / "test" / "fixtures" / "sample" / "illustrated.json"
SEVERAL_CALLS = "several-calls-a-turn"

README = """\
# A run written by hand

No policy wrote these episodes: they show, one by one, what Rollout Lens marks and what only looks like it. Questions,
places and pages are made up; the pictures are drawn, and python calls were run, by `scripts/illustrated` of the
repository, where `episodes.py` is the place to edit.

- `1.jsonl`: five prompts as the trainer of Metis dumps them, pictures in base64.
- `several-calls-a-turn/1.jsonl`: one prompt as verl's own agent loop dumps it, since Metis runs one call a turn.

The log has no pictures of a prompt, as no Metis dump has; here they are.

{pictures}

| file | row | call | | rule | why |
| --- | --- | --- | --- | --- | --- |
"""


def main() -> None:
    files = {
        "1.jsonl": (METIS_GROUPS, metis_records),
        f"{SEVERAL_CALLS}/1.jsonl": (VERL_GROUPS, verl_records),
    }
    marks = []
    for name, (groups, records_of) in files.items():
        records = [record for group in groups for record in records_of(group)]
        target = FOLDER / name
        target.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        target.write_text(text, encoding="utf-8")
        marks += marks_of(groups, name)
        print(f"{target.relative_to(ROOT)}: {len(records)} rollouts of {len(groups)} prompts, {len(text.encode())} bytes")
    rows = "".join(
        f"| `{mark['file']}` | {mark['row']} | {mark['call']} | {'flagged' if mark['kind'] == 'flagged' else 'not flagged'} "
        f"| `{mark['rule']}` | {mark['why']} |\n"
        for mark in marks
    )
    for name, draw in PICTURES.items():
        draw().quantize(48).save(FOLDER / f"{name}.png", optimize=True)
    pictures = " ".join(f"![The {name} of the prompt]({name}.png)" for name in PICTURES)
    (FOLDER / "README.md").write_text(README.replace("{pictures}", pictures) + rows, encoding="utf-8")
    MARKS.parent.mkdir(parents=True, exist_ok=True)
    MARKS.write_text(json.dumps(marks, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


main()
