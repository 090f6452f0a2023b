"""Models of a few thousand random weights, in the formats that real servers load."""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for m in messages %}{{ m['role'] + ': ' + (m['content'] or '') + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<a>{% endif %}"
)


def needed(module: str) -> Any:
    """A module that is installed only where the servers are."""
    return importlib.import_module(module)


def write_gguf(path: Path, template: str = TEMPLATE) -> None:
    """A llama of one layer and 259 byte tokens, for llama.cpp. Needs gguf and numpy."""
    gguf, np = needed("gguf"), needed("numpy")
    rng, width, hidden, vocabulary = np.random.default_rng(0), 32, 64, 259
    writer: Any = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(2048)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(hidden)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_rope_dimension_count(width // 4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(vocabulary)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))])
    writer.add_token_scores([0.0] * vocabulary)
    writer.add_token_types([2, 3, 3, *[6] * 256])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(template)
    shapes = {
        "token_embd": (vocabulary, width),
        "output": (vocabulary, width),
        **{f"blk.0.attn_{name}": (width, width) for name in ("q", "k", "v", "output")},
        "blk.0.ffn_gate": (hidden, width),
        "blk.0.ffn_up": (hidden, width),
        "blk.0.ffn_down": (width, hidden),
    }
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", rng.normal(0, 0.3, shape).astype(np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(width, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_transformers(folder: Path) -> None:
    """A llama of one layer with a byte-level tokenizer, for ``transformers serve``. Needs transformers and torch."""
    transformers, tokenizers = needed("transformers"), needed("tokenizers")
    needed("torch").manual_seed(0)
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    words = {word: at for at, word in enumerate(["<s>", "</s>", *alphabet])}
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=words, merges=[]))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="</s>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    config = transformers.LlamaConfig(vocab_size=len(words), bos_token_id=0, eos_token_id=1, **sizes)
    model = transformers.LlamaForCausalLM(config)
    model.generation_config.do_sample = True
    model.save_pretrained(folder)


def serve_llama(folder: Path, port: int) -> None:
    """llama.cpp's server with the tiny model, until the process is ended. Needs xllamacpp."""
    xllamacpp = needed("xllamacpp")
    path = folder / "tiny.gguf"
    write_gguf(path)
    params = xllamacpp.CommonParams()
    params.model.path, params.port, params.hostnames = str(path), port, ["127.0.0.1"]
    params.n_ctx, params.n_parallel, params.n_gpu_layers, params.cpuparams.n_threads = 2048, 4, 0, 1
    _server = xllamacpp.Server(params)
    threading.Event().wait()


if __name__ == "__main__":
    if sys.argv[1] == "llama":
        serve_llama(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        write_transformers(Path(sys.argv[2]))
