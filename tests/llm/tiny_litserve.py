"""A LitServe endpoint of the tiny transformers model: ``python tiny_litserve.py FOLDER PORT``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

litserve: Any = importlib.import_module("litserve")


class Tiny(litserve.LitAPI):  # type: ignore[misc]
    def setup(self, device: str) -> None:
        transformers = importlib.import_module("transformers")
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1])
        self.model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1])

    def predict(self, request: Any) -> Iterator[str]:
        turns = [m.model_dump(exclude_none=True) for m in request.messages]
        text = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        inputs = self.tokenizer(text, return_tensors="pt")
        made = self.model.generate(**inputs, max_new_tokens=8, do_sample=True)
        yield self.tokenizer.decode(made[0][inputs["input_ids"].shape[1] :])


if __name__ == "__main__":
    server = litserve.LitServer(Tiny(spec=litserve.OpenAISpec()), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False)
