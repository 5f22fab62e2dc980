"""A checkpoint as models lie on the Hub (onnx-community): configuration, tokenizer with chat template, ONNX graph.

Input: parameters by their Hugging Face Llama names ([out, in], float32), the Llama configuration, tokenizer.json as text.
The graph uses plain operators of opset 17 only, so that every execution provider has them, and its last node is the
tied head: one MatMul whose output is `logits`. Leaves out training, and checking the result (reference.py).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
# 17 came with IR 8, which every runtime of the last years reads.
IR_VERSION = 8
# As in torch: a row that is masked whole becomes uniform, not NaN.
MASKED = float(np.finfo(np.float32).min)

# Qwen's markers. What a tool answers is a user turn, as Metis writes it (mtrl_role=user); the policy's own text, its
# <reason>, <tool_call> and <answer> included, is content and stays as it is.
CHAT_TEMPLATE = """\
{%- for message in messages -%}
{%- set role = 'user' if message.role == 'tool' else message.role -%}
{{- '<|im_start|>' + role + '\\n' + message.content + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


def export_checkpoint(
    params: dict[str, np.ndarray], config: dict, tokenizer_json_text: str, folder: Path | str
) -> None:
    """Writes config.json, generation_config.json, tokenizer.json, tokenizer_config.json and onnx/model.onnx."""
    folder = Path(folder)
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    tokenizer = json.loads(tokenizer_json_text)
    eos = token_text(tokenizer, config["eos_token_id"])
    write_json(folder / "config.json", hub_config(config))
    write_json(
        folder / "generation_config.json",
        {"do_sample": True, "temperature": 1.0, "eos_token_id": config["eos_token_id"], "pad_token_id": pad_of(config)},
    )
    # Without line breaks: half the size.
    (folder / "tokenizer.json").write_text(
        json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
    )
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": config["max_position_embeddings"],
            "clean_up_tokenization_spaces": False,
            "add_bos_token": False,
            "eos_token": eos,
            "pad_token": token_text(tokenizer, pad_of(config)),
            "chat_template": CHAT_TEMPLATE,
        },
    )
    model = llama_graph(params, config)
    onnx.checker.check_model(model, full_check=True)
    (folder / "onnx" / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))


def hub_config(config: dict) -> dict:
    """The configuration with what loaders look for besides the shapes."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "torch_dtype": "float32",
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "rope_scaling": None,
        **config,
    }


def pad_of(config: dict) -> int:
    """The padding token: the end of a turn where the configuration names none."""
    return config.get("pad_token_id", config["eos_token_id"])


def token_text(tokenizer: dict, token: int) -> str:
    """The text of an added token."""
    return next(added["content"] for added in tokenizer["added_tokens"] if added["id"] == token)


def write_json(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


class Graph:
    """Nodes and constants in the order in which they are made; `node` hands back the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}

    def node(self, operator: str, name: str, *inputs: str, output: str | None = None, **attributes: object) -> str:
        output = output or f"{name}_output"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=name, **attributes))
        return output

    def constant(self, name: str, value: np.ndarray) -> str:
        if name not in self.initializers:
            self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def integers(self, *values: int) -> str:
        return self.constant("int_" + "_".join(map(str, values)), np.array(values, dtype=np.int64))

    def number(self, name: str, value: float) -> str:
        return self.constant(name, np.array(value, dtype=np.float32))


def llama_graph(params: dict[str, np.ndarray], config: dict) -> onnx.ModelProto:
    """The decoder with a growing cache: dynamic batch, sequence and past; float32 throughout."""
    layers, kv_heads, head_dim = config["num_hidden_layers"], config["num_key_value_heads"], config["head_dim"]
    graph = Graph()
    embedding = graph.constant("model.embed_tokens.weight", params["model.embed_tokens.weight"])
    hidden = graph.node("Gather", "/model/embed_tokens/Gather", embedding, "input_ids")
    rotation = rotary_tables(graph, config)
    allowed = causal_mask(graph)
    for layer in range(layers):
        hidden = decoder_layer(graph, hidden, layer, rotation, allowed, params, config)
    hidden = rms_norm(graph, "/model/norm", hidden, "model.norm.weight", params, config)
    transposed = graph.node("Transpose", "/lm_head/Transpose", embedding, perm=[1, 0])
    graph.node("MatMul", "/lm_head/MatMul", hidden, transposed, output="logits")

    batch, past, total = "batch_size", "past_sequence_length", "total_sequence_length"

    def cache(prefix: str, length: str) -> list[onnx.ValueInfoProto]:
        shape = [batch, kv_heads, length, head_dim]
        names = [f"{prefix}.{layer}.{part}" for layer in range(layers) for part in ("key", "value")]
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names]

    inputs = [
        helper.make_tensor_value_info("input_ids", TensorProto.INT64, [batch, "sequence_length"]),
        helper.make_tensor_value_info("attention_mask", TensorProto.INT64, [batch, total]),
        helper.make_tensor_value_info("position_ids", TensorProto.INT64, [batch, "sequence_length"]),
        *cache("past_key_values", past),
    ]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, "sequence_length", config["vocab_size"]])
    return helper.make_model(
        helper.make_graph(
            graph.nodes, "main_graph", inputs, [logits, *cache("present", total)], list(graph.initializers.values())
        ),
        producer_name="rollout-lens",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


def rotary_tables(graph: Graph, config: dict) -> tuple[str, str]:
    """Cosine and sine of each position, [batch, 1, sequence, head_dim / 2]; a position past the table is an error."""
    head_dim = config["head_dim"]
    frequency = (config["rope_theta"] ** -(np.arange(0, head_dim, 2, dtype=np.float32) / head_dim)).astype(np.float32)
    angle = np.arange(config["max_position_embeddings"], dtype=np.float32)[:, None] * frequency[None, :]
    tables = []
    for name, table in (("cos", np.cos(angle)), ("sin", np.sin(angle))):
        constant = graph.constant(f"model.rotary_emb.{name}", table.astype(np.float32))
        rows = graph.node("Gather", f"/model/rotary_emb/{name}", constant, "position_ids")
        tables.append(graph.node("Unsqueeze", f"/model/rotary_emb/{name}/Unsqueeze", rows, graph.integers(1)))
    return tables[0], tables[1]


def causal_mask(graph: Graph) -> str:
    """Booleans [batch, 1, sequence, total]: the key is not padding and not later than the query."""
    name = "/model/mask"

    def length(of: str) -> str:
        shape = graph.node("Shape", f"{name}/{of}/Shape", of)
        return graph.node("Gather", f"{name}/{of}/Gather", shape, graph.constant("int_one", np.array(1, np.int64)))

    zero, one = graph.constant("int_zero", np.array(0, np.int64)), graph.constant("int_one", np.array(1, np.int64))
    total, sequence = length("attention_mask"), length("input_ids")
    past = graph.node("Sub", f"{name}/past", total, sequence)
    keys = graph.node("Range", f"{name}/keys", zero, total, one)
    queries = graph.node("Range", f"{name}/queries", past, total, one)
    column = graph.node("Unsqueeze", f"{name}/queries/Unsqueeze", queries, graph.integers(1))
    causal = graph.node("LessOrEqual", f"{name}/LessOrEqual", keys, column)
    kept = graph.node("Cast", f"{name}/Cast", "attention_mask", to=TensorProto.BOOL)
    kept = graph.node("Unsqueeze", f"{name}/Unsqueeze", kept, graph.integers(1, 2))
    return graph.node("And", f"{name}/And", causal, kept)


def decoder_layer(
    graph: Graph,
    hidden: str,
    layer: int,
    rotation: tuple[str, str],
    allowed: str,
    params: dict[str, np.ndarray],
    config: dict,
) -> str:
    """Attention and feed-forward, each behind its norm and added to what came in."""
    name, weights = f"/model/layers.{layer}", f"model.layers.{layer}"
    normed = rms_norm(graph, f"{name}/input_layernorm", hidden, f"{weights}.input_layernorm.weight", params, config)
    attended = attention(graph, normed, layer, rotation, allowed, params, config)
    hidden = graph.node("Add", f"{name}/Add", hidden, attended)
    normed = rms_norm(
        graph, f"{name}/post_attention_layernorm", hidden, f"{weights}.post_attention_layernorm.weight", params, config
    )
    gate = linear(graph, f"{name}/mlp/gate_proj", normed, f"{weights}.mlp.gate_proj.weight", params)
    up = linear(graph, f"{name}/mlp/up_proj", normed, f"{weights}.mlp.up_proj.weight", params)
    sigmoid = graph.node("Sigmoid", f"{name}/mlp/act_fn/Sigmoid", gate)
    silu = graph.node("Mul", f"{name}/mlp/act_fn/Mul", gate, sigmoid)
    product = graph.node("Mul", f"{name}/mlp/Mul", silu, up)
    down = linear(graph, f"{name}/mlp/down_proj", product, f"{weights}.mlp.down_proj.weight", params)
    return graph.node("Add", f"{name}/Add_1", hidden, down)


def attention(
    graph: Graph,
    hidden: str,
    layer: int,
    rotation: tuple[str, str],
    allowed: str,
    params: dict[str, np.ndarray],
    config: dict,
) -> str:
    """Grouped-query attention over past and present. The queries of one KV head lie in one matrix, so nothing is repeated."""
    heads, kv_heads, head_dim = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
    name, weights = f"/model/layers.{layer}/self_attn", f"model.layers.{layer}.self_attn"

    def heads_of(part: str, count: int) -> str:
        projected = linear(graph, f"{name}/{part}_proj", hidden, f"{weights}.{part}_proj.weight", params)
        split = graph.node("Reshape", f"{name}/{part}/Reshape", projected, graph.integers(0, 0, count, head_dim))
        return graph.node("Transpose", f"{name}/{part}/Transpose", split, perm=[0, 2, 1, 3])

    def grown(part: str, fresh: str) -> str:
        past = f"past_key_values.{layer}.{part}"
        return graph.node("Concat", f"{name}/{part}/Concat", past, fresh, output=f"present.{layer}.{part}", axis=2)

    query = rotate(graph, f"{name}/q", heads_of("q", heads), rotation)
    key = grown("key", rotate(graph, f"{name}/k", heads_of("k", kv_heads), rotation))
    value = grown("value", heads_of("v", kv_heads))

    query = graph.node("Mul", f"{name}/scale", query, graph.number("attention_scale", head_dim**-0.5))
    query = graph.node("Reshape", f"{name}/q/by_kv_head", query, graph.integers(0, kv_heads, -1, head_dim))
    keys = graph.node("Transpose", f"{name}/key/Transpose", key, perm=[0, 1, 3, 2])
    scores = graph.node("MatMul", f"{name}/scores", query, keys)
    scores = graph.node("Reshape", f"{name}/scores/by_head", scores, graph.integers(0, heads, -1, 0))
    scores = graph.node("Where", f"{name}/mask", allowed, scores, graph.number("masked", MASKED))
    weight = graph.node("Softmax", f"{name}/Softmax", scores, axis=-1)
    weight = graph.node("Reshape", f"{name}/weights/by_kv_head", weight, graph.integers(0, kv_heads, -1, 0))
    mixed = graph.node("MatMul", f"{name}/mixed", weight, value)
    mixed = graph.node("Reshape", f"{name}/mixed/by_head", mixed, graph.integers(0, heads, -1, head_dim))
    mixed = graph.node("Transpose", f"{name}/mixed/Transpose", mixed, perm=[0, 2, 1, 3])
    mixed = graph.node("Reshape", f"{name}/mixed/joined", mixed, graph.integers(0, 0, heads * head_dim))
    return linear(graph, f"{name}/o_proj", mixed, f"{weights}.o_proj.weight", params)


def rotate(graph: Graph, name: str, value: str, rotation: tuple[str, str]) -> str:
    """Hugging Face's rotate_half: pairs are (i, i + head_dim / 2)."""
    cos, sin = rotation
    first, second = f"{name}/rotary/first", f"{name}/rotary/second"
    graph.nodes.append(helper.make_node("Split", [value], [first, second], name=f"{name}/rotary/Split", axis=-1))

    def product(label: str, half: str, factor: str) -> str:
        return graph.node("Mul", f"{name}/rotary/{label}", half, factor)

    left = graph.node(
        "Sub", f"{name}/rotary/Sub", product("first_cos", first, cos), product("second_sin", second, sin)
    )
    right = graph.node(
        "Add", f"{name}/rotary/Add", product("second_cos", second, cos), product("first_sin", first, sin)
    )
    return graph.node("Concat", f"{name}/rotary/Concat", left, right, axis=-1)


def rms_norm(
    graph: Graph, name: str, hidden: str, weight: str, params: dict[str, np.ndarray], config: dict
) -> str:
    """x / sqrt(mean(x²) + ε) · weight, in the operators that runtimes recognise and fuse."""
    squared = graph.node("Pow", f"{name}/Pow", hidden, graph.number("two", 2.0))
    mean = graph.node("ReduceMean", f"{name}/ReduceMean", squared, axes=[-1], keepdims=1)
    shifted = graph.node("Add", f"{name}/Add", mean, graph.number("rms_norm_eps", config["rms_norm_eps"]))
    root = graph.node("Sqrt", f"{name}/Sqrt", shifted)
    normed = graph.node("Div", f"{name}/Div", hidden, root)
    return graph.node("Mul", f"{name}/Mul", normed, graph.constant(weight, params[weight]))


def linear(graph: Graph, name: str, hidden: str, weight: str, params: dict[str, np.ndarray]) -> str:
    """x · Wᵀ; the transposed weight is stored, as exporters do."""
    return graph.node("MatMul", f"{name}/MatMul", hidden, graph.constant(weight, params[weight].T))
