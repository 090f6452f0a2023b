"""The rows, read by the tools that the formats are named after.

None of these tools is a dependency; each test is skipped where its tool is not installed. They were run with
datasets 5.2.0, trl 1.16.0 (torch 2.13.0, CPU), openai 3.51.0 and llamafactory 0.9.5; that of step labels with trl 1.0.0
and 1.13.0, the last with a PRMTrainer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from cultivar.core.records import Preference, Ranking, Sample, StepLabels, Trajectory, Turn
from cultivar.export.rows import export
from tests.export.fake_run import SYSTEM, trajectory, write_run

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")
"""What these tools say to each other is not ours to mend."""

TURNS = (
    Turn("system", SYSTEM),
    Turn("user", "You stand at the door."),
    Turn("assistant", "Action: fly", action="fly"),
    Turn("user", "There is no action 'fly'."),
    Turn("assistant", "Action: walk", action="walk", train=True),
)
SLIPPED = Trajectory(task="t", turns=TURNS, success=True, reward=1.0)
ANSWER = Sample(messages=({"role": "user", "content": "Why plan?"}, {"role": "assistant", "content": "To arrive."}))
CHOICE = Preference(prompt="Name a room.", chosen="The print room.", rejected="Blue.")
RECORDS = [trajectory(1), trajectory(2, thoughts=False), trajectory(4), SLIPPED, ANSWER, CHOICE]

CHATML = (
    "{% for message in messages %}{{ '<|im_start|> ' + message['role'] + ' ' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + ' <|im_end|>' }}{% endgeneration %}{{ ' ' }}"
    "{% else %}{{ message['content'] + ' <|im_end|> ' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|> assistant ' }}{% endif %}"
)


def written(folder: Path, format: str) -> tuple[Path, Path]:
    """The file of conversations and the file of preferences."""
    run = write_run(folder, RECORDS)
    export(run, format, run / "rows.jsonl")
    return run / "rows.jsonl", run / "rows-preference.jsonl"


@pytest.fixture
def load_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``datasets.load_dataset`` of JSON files, with its cache in the test's folder and the network off."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="Hugging Face datasets is not installed")
    yield lambda path: datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )


def words() -> Any:
    """A tokenizer of whole words, made here: no download."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    texts = [turn.content for record in RECORDS if isinstance(record, Trajectory) for turn in record.turns]
    texts += ["system user assistant", *(message["content"] for message in ANSWER.messages)]
    texts += [CHOICE.prompt, CHOICE.chosen, CHOICE.rejected, "The cold store. A room."]
    vocabulary = {"<unk>": 0, "<|im_start|>": 1, "<|im_end|>": 2}
    for word in " ".join(texts).split():
        vocabulary.setdefault(word, len(vocabulary))
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=model, unk_token="<unk>", eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    fast.chat_template = CHATML
    return fast


# -- trl


def test_trl_reads_conversations(tmp_path: Path, load_dataset: Any) -> None:
    trl = pytest.importorskip("trl", reason="TRL is not installed")
    chats, _ = written(tmp_path, "trl")
    rows = load_dataset(chats)
    assert rows.column_names == ["id", "messages"]
    tokenizer = words()
    for row, record in zip(rows, RECORDS[:5], strict=True):
        assert row["id"] == record.id
        assert trl.is_conversational(row)
        text = trl.apply_chat_template({"messages": row["messages"]}, tokenizer)["text"]
        assert all(message["content"] in text for message in row["messages"])
        # What assistant_only_loss trains on: every assistant message, and nothing else.
        found = tokenizer.apply_chat_template(row["messages"], return_assistant_tokens_mask=True, return_dict=True)
        trained = tokenizer.decode([i for i, on in zip(found["input_ids"], found["assistant_masks"]) if on])
        assert trained.count("<|im_end|>") == sum(m["role"] == "assistant" for m in row["messages"])
        assert "Observation:" not in trained


def test_trl_reads_prompts_and_completions(tmp_path: Path, load_dataset: Any) -> None:
    trl = pytest.importorskip("trl", reason="TRL is not installed")
    chats, _ = written(tmp_path, "trl-turns")
    rows = load_dataset(chats)
    tokenizer = words()
    slipped = [row for row in rows if row["id"] == SLIPPED.id]
    assert len(slipped) == 1
    for row in rows:
        assert trl.is_conversational(row)
        example = {"prompt": row["prompt"], "completion": row["completion"]}
        text = trl.apply_chat_template(example, tokenizer)
        assert text["prompt"].endswith("<|im_start|> assistant ")
        assert text["completion"].strip() == row["completion"][0]["content"] + " <|im_end|>"


def test_trl_reads_preferences(tmp_path: Path, load_dataset: Any) -> None:
    trl = pytest.importorskip("trl", reason="TRL is not installed")
    _, preferences = written(tmp_path, "trl")
    (row,) = load_dataset(preferences)
    assert trl.is_conversational(row)
    pair = {key: row[key] for key in ("prompt", "chosen", "rejected")}
    text = trl.apply_chat_template(pair, words())
    assert (text["chosen"].split()[0], text["rejected"].split()[0]) == ("The", "Blue.")


@pytest.mark.slow
@pytest.mark.parametrize(("format", "option"), [("trl", "assistant_only_loss"), ("trl-turns", "completion_only_loss")])
def test_trl_trains_on_what_is_marked(tmp_path: Path, load_dataset: Any, format: str, option: str) -> None:
    """SFTTrainer itself prepares the rows, and takes one step with a model of a few thousand weights."""
    trl = pytest.importorskip("trl", reason="TRL is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizer = words()
    shape = transformers.GPT2Config(
        vocab_size=len(tokenizer), n_positions=1024, n_embd=8, n_layer=1, n_head=1, bos_token_id=1, eos_token_id=2
    )
    chats, _ = written(tmp_path, format)
    settings = trl.SFTConfig(
        output_dir=str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=2, use_cpu=True, bf16=False,
        report_to=[], save_strategy="no", disable_tqdm=True, **{option: True},
    )  # fmt: skip
    trainer = trl.SFTTrainer(
        model=transformers.GPT2LMHeadModel(shape), args=settings, train_dataset=load_dataset(chats),
        processing_class=tokenizer,
    )  # fmt: skip
    for batch in trainer.get_train_dataloader():
        for ids, labels in zip(batch["input_ids"], batch["labels"]):
            trained = tokenizer.decode(ids[labels != -100])
            assert trained and "Observation:" not in trained and "courier" not in trained
            assert format == "trl" or "fly" not in trained
    assert trainer.train().global_step == 1


# -- trl: reward models


RANKING = Ranking(prompt="Name a room.", ranked=("The print room.", "The cold store.", "A room.", "Blue."))
STEPS = [
    StepLabels(prompt="Why plan?", steps=("To arrive.", "The print room.", "Blue."), labels=(True, True, False)),
    StepLabels(prompt="Name a room.", steps=("Blue.",), labels=(False,)),
]


def settings_of(folder: Path, **options: Any) -> dict[str, Any]:
    return {
        "output_dir": str(folder / "out"), "max_steps": 1, "per_device_train_batch_size": 2, "use_cpu": True,
        "bf16": False, "report_to": [], "save_strategy": "no", "disable_tqdm": True, **options,
    }  # fmt: skip


def tiny(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer), "n_positions": 256, "n_embd": 8, "n_layer": 1, "n_head": 1, "bos_token_id": 1,
        "eos_token_id": 2, "pad_token_id": 2,
    }  # fmt: skip


@pytest.mark.slow
def test_trl_trains_a_reward_model_on_rankings(tmp_path: Path, load_dataset: Any) -> None:
    """RewardTrainer tokenizes the rows with its own code, and takes one step."""
    trl = pytest.importorskip("trl", reason="TRL is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    run = write_run(tmp_path, [RANKING])
    export(run, "trl", run / "rows.jsonl")
    rows = load_dataset(run / "rows.jsonl")
    assert rows.num_rows == 6
    assert trl.is_conversational(rows[0])
    tokenizer = words()
    model = transformers.GPT2ForSequenceClassification(transformers.GPT2Config(num_labels=1, **tiny(tokenizer)))
    trainer = trl.RewardTrainer(
        model=model, args=trl.RewardConfig(**settings_of(tmp_path)), train_dataset=rows, processing_class=tokenizer
    )
    chosen = [tokenizer.decode(row["chosen_ids"]) for row in trainer.train_dataset]
    rejected = [tokenizer.decode(row["rejected_ids"]) for row in trainer.train_dataset]
    assert all("Name a room." in text for text in (*chosen, *rejected))
    assert [text.count("print room") for text in chosen] == [1, 1, 1, 0, 0, 0]
    assert not any("print room" in text for text in rejected)
    assert trainer.train().global_step == 1


@pytest.mark.slow
def test_trl_trains_a_process_reward_model_on_step_labels(tmp_path: Path, load_dataset: Any) -> None:
    """PRMTrainer labels the last token of each step (the separator's, or the step's), and takes one step."""
    pytest.importorskip("trl", reason="TRL is not installed")
    prm = pytest.importorskip("trl.experimental.prm", reason="this TRL has no PRMTrainer (the last is 1.13)")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    run = write_run(tmp_path, list(STEPS))
    export(run, "trl", run / "rows.jsonl")
    rows = load_dataset(run / "rows.jsonl")
    assert rows.column_names == ["id", "prompt", "completions", "labels"]
    assert str(rows.features["labels"].feature.dtype) == "bool"
    tokenizer = words()
    model = transformers.GPT2ForTokenClassification(transformers.GPT2Config(num_labels=2, **tiny(tokenizer)))
    settings = prm.PRMConfig(**settings_of(tmp_path, step_separator="<|im_end|>"))
    trainer = prm.PRMTrainer(model=model, args=settings, train_dataset=rows, processing_class=tokenizer)
    for row, record in zip(trainer.train_dataset, STEPS, strict=True):
        assert [label for label in row["labels"] if label != -100] == [int(label) for label in record.labels]
        text = tokenizer.decode(row["input_ids"])
        assert all(step in text for step in (record.prompt, *record.steps))
    assert trainer.train().global_step == 1


# -- openai


def test_openai_messages_are_those_of_the_sdk(tmp_path: Path) -> None:
    """Since the SDK lost its file checker, its own message types are the check; the API documents the rest."""
    chat = pytest.importorskip("openai.types.chat", reason="the openai SDK is not installed")
    pydantic = pytest.importorskip("pydantic")
    message = pydantic.TypeAdapter(chat.ChatCompletionMessageParam, config=None)
    chats, preferences = written(tmp_path, "openai")
    rows = [orjson.loads(line) for line in chats.read_bytes().splitlines()]
    assert len(rows) == 5
    for row in rows:
        assert set(row) == {"messages"}
        for found in row["messages"]:
            message.validate_python(found)
        check_fine_tuning_rules(row["messages"])
    (pair,) = [orjson.loads(line) for line in preferences.read_bytes().splitlines()]
    assert set(pair) == {"input", "preferred_output", "non_preferred_output"}
    for found in (*pair["input"]["messages"], *pair["preferred_output"], *pair["non_preferred_output"]):
        message.validate_python(found)
    with pytest.raises(pydantic.ValidationError):
        message.validate_python({"role": "bard", "content": "x"})


def test_openai_rows_keep_the_documented_rules(tmp_path: Path) -> None:
    chats, _ = written(tmp_path, "openai")
    for line in chats.read_bytes().splitlines():
        check_fine_tuning_rules(orjson.loads(line)["messages"])


def check_fine_tuning_rules(messages: list[dict[str, Any]]) -> None:
    """The checks of OpenAI's cookbook (Chat_finetuning_data_prep) and of its guide on ``weight``."""
    for message in messages:
        assert set(message) <= {"role", "content", "name", "weight", "tool_calls", "tool_call_id"}
        assert message["role"] in ("system", "user", "assistant", "tool")
        assert isinstance(message["content"], str)
        assert ("weight" in message) == (message["role"] == "assistant")
        assert message.get("weight", 0) in (0, 1)
    assert messages[-1]["role"] == "assistant"
    assert any(message.get("weight") for message in messages)


# -- sharegpt


@pytest.fixture
def llama_factory(tmp_path: Path) -> Any:
    """LLaMA-Factory's converter, for a dataset described as its data/README says."""
    converter = pytest.importorskip("llamafactory.data.converter", reason="LLaMA-Factory is not installed")
    parser = pytest.importorskip("llamafactory.data.parser")
    hparams = pytest.importorskip("llamafactory.hparams")

    def convert(path: Path, description: dict[str, Any]) -> Any:
        info = {"rows": {"file_name": path.name, "formatting": "sharegpt", **description}}
        (path.parent / "dataset_info.json").write_bytes(orjson.dumps(info))
        (attributes,) = parser.get_dataset_list(["rows"], str(path.parent))
        return converter.SharegptDatasetConverter(attributes, hparams.DataArguments())

    return convert


def test_llama_factory_reads_conversations(tmp_path: Path, load_dataset: Any, llama_factory: Any) -> None:
    chats, _ = written(tmp_path, "sharegpt")
    convert = llama_factory(chats, {"columns": {"messages": "conversations", "system": "system"}})
    rows = load_dataset(chats)
    for row, record in zip(rows, RECORDS[:5], strict=True):
        found = convert(row)
        messages = found["_prompt"] + found["_response"]
        assert [m["role"] for m in messages] == ["user", "assistant"] * (len(messages) // 2)
        said = record.turns if isinstance(record, Trajectory) else ()
        system = [turn.content for turn in said if turn.role == "system"]
        assert found["_system"] == "".join(system)
        if isinstance(record, Trajectory):
            kept = said[:-1] if said[-1].role == "user" else said
            assert [m["content"] for m in messages] == [turn.content for turn in kept if turn.role != "system"]


def test_llama_factory_reads_preferences(tmp_path: Path, load_dataset: Any, llama_factory: Any) -> None:
    _, preferences = written(tmp_path, "sharegpt")
    columns = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected", "system": "system"}
    convert = llama_factory(preferences, {"ranking": True, "columns": columns})
    (row,) = load_dataset(preferences)
    found = convert(row)
    assert found["_prompt"] == [{"role": "user", "content": CHOICE.prompt}]
    assert [answer["content"] for answer in found["_response"]] == [CHOICE.chosen, CHOICE.rejected]


def test_llama_factory_makes_training_rows(tmp_path: Path, load_dataset: Any, llama_factory: Any) -> None:
    """Its supervised processor turns the rows into tokens and labels with its own ChatML template."""
    template = pytest.importorskip("llamafactory.data.template")
    processor = pytest.importorskip("llamafactory.data.processor.supervised")
    hparams = pytest.importorskip("llamafactory.hparams")
    chats, _ = written(tmp_path, "sharegpt")
    convert = llama_factory(chats, {"columns": {"messages": "conversations", "system": "system"}})
    tokenizer = words()
    arguments = hparams.DataArguments(template="chatml", cutoff_len=4096)
    chatml = template.get_template_and_fix_tokenizer(tokenizer, arguments)
    supervised = processor.SupervisedDatasetProcessor(chatml, tokenizer, None, arguments)
    examples = [convert(row) for row in load_dataset(chats)]
    batch = {key: [example[key] for example in examples] for key in examples[0]}
    made = supervised.preprocess_dataset(batch)
    assert len(made["labels"]) == len(examples)
    for labels in made["labels"]:
        trained = tokenizer.decode([label for label in labels if label != -100])
        assert trained and "Observation:" not in trained


# -- axolotl


def test_the_sharegpt_flags_are_those_that_axolotl_reads(tmp_path: Path) -> None:
    """axolotl's chat_template with ``message_field_training: train``: a boolean on each turn of the assistant."""
    chats, _ = written(tmp_path, "sharegpt")
    rows = [orjson.loads(line) for line in chats.read_bytes().splitlines()]
    slipped = next(row for row in rows if row["id"] == SLIPPED.id)
    assert [turn.get("train") for turn in slipped["conversations"]] == [None, False, None, True]
