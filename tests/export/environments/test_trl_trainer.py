"""TRL's own trainer plays the exported class: resets it, calls its tool for many turns, and takes its reward."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from benchmarks.parity import imported

from cultivar.core.records import Task
from cultivar.core.rundir import RunDirectory
from cultivar.environments.pddl.environment import PddlEnvironment
from cultivar.export.environments.package import export_environments
from tests.export.environments.test_package import run_of
from tests.export.environments.test_parity import worlds

LOOK = "look"


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return run_of(tmp_path / "run", worlds()[:2])


@pytest.mark.filterwarnings("ignore")
def test_a_step_of_training_over_whole_episodes(run: RunDirectory, tmp_path: Path) -> None:
    """Two roll-outs of one task: the first says the known solution, the second looks about once and stops."""
    pytest.importorskip("trl", reason="trl is not installed (docs/environments-out.md)")
    spec, task = worlds()[:2]
    assert isinstance(task, Task)
    plain = PddlEnvironment(spec)  # type: ignore[arg-type]
    first = plain.begin(task).text
    gold = plain.gold(task) or []
    expected = [plain.act(action).observation for action in gold]
    package = export_environments(run, "trl", tmp_path / "trl-trainer")
    with imported(package.folder) as exported, trainer_of(exported, tmp_path, gold) as (trainer, seen):
        trainer.train()
    (row,) = seen
    assert row["task"] == [task.id] * 2
    assert all(prompt[-1]["content"] == first for prompt in row["prompts"])
    said = [[m["content"] for m in turns if m["role"] == "tool"] for turns in row["completions"]]
    assert said[0] == expected
    assert len(said[1]) == 1
    assert [environment.get_reward() for environment in trainer.environments] == [1.0, 0.0]
    assert [environment.done for environment in trainer.environments] == [True, False]
    assert trainer.state.log_history[0]["rewards/Worlds/mean"] == 0.5


@contextmanager
def trainer_of(exported: Any, folder: Path, gold: list[str]) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """A trainer whose model says what it is given; everything else is TRL's."""
    import trl
    from datasets import Dataset

    seen: list[dict[str, Any]] = []

    def progress(environments: Any, **columns: Any) -> list[float]:
        seen.append(columns)
        found: list[float] = exported.progress(environments)
        return found

    tokenizer = _tokenizer(Path(trl.__file__).parent / "chat_templates" / "qwen3.jinja")

    class Scripted(trl.GRPOTrainer):  # type: ignore[misc]
        def _generate_single_turn(self, prompt_ids: Any, *_: Any, **__: Any) -> tuple[list[list[int]], None]:
            texts = [tokenizer.decode(ids).partition("<|im_start|>user")[2] for ids in prompt_ids]
            replies = [_reply(text, place, gold) for place, text in enumerate(texts)]
            return [tokenizer.encode(reply + "<|im_end|>") for reply in replies], None

    settings = trl.GRPOConfig(
        output_dir=str(folder / "trained"),
        max_steps=1,
        num_generations=2,
        per_device_train_batch_size=2,
        max_completion_length=20_000,
        report_to="none",
        use_cpu=True,
        logging_steps=1,
        save_strategy="no",
    )
    yield (
        Scripted(
            model=_model(tokenizer),
            processing_class=tokenizer,
            args=settings,
            train_dataset=Dataset.from_list(exported.rows()),
            reward_funcs=[progress],
            environment_factory=exported.Worlds,
        ),
        seen,
    )


def _reply(conversation: str, place: int, gold: list[str]) -> str:
    turns = conversation.count("<tool_response>")
    looks = f'"{LOOK}"' in conversation or (not turns and place == 1)
    actions = [LOOK] if looks else gold
    if turns == len(actions):
        return "That is all."
    call = {"name": "act", "arguments": {"action": actions[turns]}}
    return f"<tool_call>\n{json.dumps(call)}\n</tool_call>"


def _tokenizer(template: Path) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    raw.train_from_iterator([], trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, special_tokens=special))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.add_tokens(["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"])
    tokenizer.chat_template = template.read_text("utf-8")
    return tokenizer


def _model(tokenizer: Any) -> Any:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "head_dim": 8}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 40_000}
    return Qwen3ForCausalLM(Qwen3Config(vocab_size=len(tokenizer), **sizes, **heads))
