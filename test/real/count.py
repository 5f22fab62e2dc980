#!/usr/bin/env python3
"""Counts what a folder of real logs holds, without any code of this project: what the readers are checked against.

    python3 test/real/count.py FOLDER            prints one JSON object, file by file
    python3 test/real/count.py FOLDER --write    also writes it to test/unit/readers/realLogs.json

Counts only, never text: rollouts, groups (within a step), calls, the rollouts that have a reward and its sum, the
rollouts that log how many tokens the model wrote and their sum. Plain Python; members of a zip that are compressed with
zstd need Python 3.14 or the package "zstandard", and a file that has some is an error without either.
"""
import io
import json
import pathlib
import sys
import zipfile

ZSTD = 93


class Counter:
    """Sums over the rollouts of one file."""

    def __init__(self):
        self.rollouts = 0
        self.groups = set()
        self.calls = 0
        self.rewarded = 0
        self.reward = 0.0
        self.counted = 0
        self.tokens = 0

    def add(self, group, calls=0, reward=None, tokens=None, step=None):
        self.rollouts += 1
        self.groups.add(json.dumps([step, group], sort_keys=True))
        self.calls += calls
        if isinstance(reward, (int, float)) and not isinstance(reward, bool):
            self.rewarded += 1
            self.reward += reward
        if tokens is not None:
            self.counted += 1
            self.tokens += tokens

    def sums(self):
        return {
            "rollouts": self.rollouts,
            "groups": len(self.groups),
            "calls": self.calls,
            "rewarded": self.rewarded,
            "rewardSum": round(self.reward, 6),
            "tokensLogged": self.counted,
            "tokens": self.tokens,
        }


def native_calls(messages):
    return sum(len(message.get("tool_calls") or []) for message in messages if message.get("role") == "assistant")


def count_atif(document, counter):
    calls = 0
    for step in document["steps"]:
        if step.get("source") != "agent":
            continue
        written = step.get("tool_calls") or []
        calls += len(written)
        if written or "observation" not in step:
            continue
        # Terminus 2 logs its commands as JSON in the message.
        try:
            command = json.loads(step["message"])
        except (TypeError, ValueError):
            continue
        calls += len(command.get("commands", [])) + (1 if command.get("task_complete") is True else 0)
    tokens = (document.get("final_metrics") or {}).get("total_completion_tokens")
    counter.add(document.get("session_id"), calls=calls, tokens=tokens)


def count_swe_agent(document, counter):
    steps = document.get("trajectory")
    if steps is None:
        steps = [message for message in document["history"] if message["role"] == "assistant"]
    received = document.get("info", {}).get("model_stats", {}).get("tokens_received")
    calls = sum(1 for step in steps if (step.get("action") or "").strip())
    counter.add("only", calls=calls, tokens=received or None)


def count_tau_bench(items, counter):
    for item in items:
        counter.add(item["task_id"], calls=native_calls(item["traj"]), reward=item["reward"])


def count_lines(records, counter):
    for record in records:
        if "responses_create_params" in record:
            group = record.get("_ng_task_index", record["responses_create_params"]["input"])
            output = record["response"]["output"]
            calls = sum(1 for item in output if item.get("type") == "function_call")
            usage = record["response"].get("usage") or {}
            counter.add(group, calls=calls, reward=record.get("reward"), tokens=usage.get("output_tokens"))
        elif "completion" in record:
            group = record.get("example_id", record.get("id"))
            completion = record["completion"]
            calls = native_calls(completion) if isinstance(completion, list) else 0
            counter.add(group, calls=calls, reward=record.get("reward"))
        elif "ref_reward" in record or "token_rewards" in record:
            written = record.get("response_tokens")
            tokens = len(written) if written is not None else None
            counter.add(record["prompt"], reward=record.get("reward"), step=record.get("step"), tokens=tokens)
        else:
            raise ValueError(f"nothing known has the keys {sorted(record)}")


def read_member(archive, member):
    if member.compress_type != ZSTD:
        return archive.read(member)
    try:
        return archive.read(member)
    except NotImplementedError:
        import zstandard

        archive.fp.seek(member.header_offset)
        header = archive.fp.read(30)
        skip = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        archive.fp.seek(member.header_offset + 30 + skip)
        packed = io.BytesIO(archive.fp.read(member.compress_size))
        return zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read()


# Letters that Inspect's scorers write: correct, incorrect, partial, no answer.
GRADES = {"C": 1, "I": 0, "P": 0.5, "N": 0}


def count_inspect(path, counter):
    with zipfile.ZipFile(path) as archive:
        members = {member.filename: member for member in archive.infolist()}
        for name, member in members.items():
            if not name.startswith("samples/") or name.count("/") != 1:
                continue
            sample = json.loads(read_member(archive, member))
            values = [score.get("value") for score in (sample.get("scores") or {}).values()]
            value = values[0] if values else None
            tokens = [usage["output_tokens"] for usage in (sample.get("model_usage") or {}).values()]
            counter.add(
                sample["id"],
                calls=native_calls(sample["messages"]),
                reward=GRADES.get(value, value) if isinstance(value, str) else value,
                tokens=sum(tokens) if tokens else None,
            )


def count_file(path):
    counter = Counter()
    if zipfile.is_zipfile(path):
        count_inspect(path, counter)
        return counter.sums()
    text = path.read_text(encoding="utf-8")
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if isinstance(document, list):
        count_tau_bench(document, counter)
    elif isinstance(document, dict) and str(document.get("schema_version", "")).startswith("ATIF-"):
        count_atif(document, counter)
    elif isinstance(document, dict) and ("trajectory" in document or "history" in document):
        count_swe_agent(document, counter)
    else:
        count_lines((json.loads(line) for line in text.split("\n") if line.strip()), counter)
    return counter.sums()


def main(arguments):
    folder = pathlib.Path(arguments[0])
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md")
    counts = {path.relative_to(folder).as_posix(): count_file(path) for path in files}
    text = json.dumps(counts, indent=2) + "\n"
    sys.stdout.write(text)
    if "--write" in arguments:
        target = pathlib.Path(__file__).resolve().parent.parent / "unit/readers/realLogs.json"
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
