"""Byte-level BPE of 512 tokens, trained on the text of the environment; digits and tags are split off one by one.

Owned by the trainer; the result is tokenizer.json, which the extension loads as it is.
"""
import json
import os
import random
import re

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402

SIZE = 512
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>")


def train_tokenizer(texts: list[str]) -> str:
    """tokenizer.json as text. The two call tags are ordinary added tokens, as in Qwen's tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex("[0-9]|</?[a-z]+>"), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=SIZE, special_tokens=[AddedToken(text, special=True, normalized=False) for text in SPECIAL],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    layout = json.loads(tokenizer.to_str())
    for token in layout["added_tokens"]:
        token["special"] = token["content"].startswith("<|")
    return json.dumps(layout, ensure_ascii=False, indent=1)


class Codec:
    """Text to ids and back."""

    def __init__(self, layout: str):
        self._tokenizer = Tokenizer.from_str(layout)
        self.pad, self.start, self.end, self.call, self.call_end = map(self._tokenizer.token_to_id, SPECIAL)
        self.size = self._tokenizer.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids) -> str:
        return self._tokenizer.decode(list(ids), skip_special_tokens=False)


def corpus(demonstrate, questions, count: int = 4000) -> list[str]:
    """What stands between the marks in demonstrated episodes, to learn merges from; the same for every seed."""
    chance, marks = random.Random("tokenizer"), re.compile("|".join(map(re.escape, SPECIAL)))
    texts = (demonstrate(chance.choice(questions), chance).text for _ in range(count))
    return [piece for text in texts for piece in marks.split(text) if piece]
