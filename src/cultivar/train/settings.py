"""What can be set about training: one dataclass for each method; flags and help are made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cultivar.core.ranges import within

FREE = ("at_once", "save_every", "cpu")
"""Settings that may change when a training is continued: they decide where and how fast, not what is learned."""


@dataclass(frozen=True)
class Settings:
    """What all methods share."""

    columns: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """What a row may have: the first whose columns it has all of says how it is read."""

    base: str = ""
    """the model to begin with: a folder, or its name on the hub"""
    lora: int = 0
    """rank of the LoRA adapters that are trained in place of the weights (16 is usual); 0: all weights"""
    merge: bool = False
    """with --lora: write whole weights with the adapters in them, and not the adapters alone"""
    epochs: float = 1.0
    """how often every row is seen"""
    max_steps: int = 0
    """end after so many steps; 0: as --epochs says"""
    batch: int = 16
    """rows in one step, over all GPUs"""
    at_once: int = 4
    """rows that a GPU holds at once; fewer take less memory and more time, and learn the same"""
    learning_rate: float | None = None
    """the highest rate; nothing: TRL's own for the method, ten times that with --lora"""
    max_length: int | None = None
    """tokens of a row, beyond which it is cut; nothing: as many as the model can read"""
    chat_template: str = ""
    """a file with a chat template in place of the tokenizer's"""
    save_every: int = 100
    """steps between the checkpoints from which an interrupted training goes on"""
    seed: int = 0
    """decides the order of the rows and the first values of adapters"""
    cpu: bool = False
    """train on the CPU, although there is a GPU"""

    def __post_init__(self) -> None:
        if not self.base:
            raise ValueError("--base is missing: give the folder of the model to begin with, or its name on the hub")
        within(self, {"lora": 0, "max_steps": 0, "batch": 1, "at_once": 1, "save_every": 1})
        for name in ("epochs", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{flag(name)} {value}: give a number above 0")
        if self.max_length is not None and self.max_length < 2:
            raise ValueError(f"--max-length {self.max_length}: give at least 2 tokens")
        if self.merge and not self.lora:
            raise ValueError("--merge goes with --lora: without adapters there is nothing to merge; give --lora 16")
        if self.batch % self.at_once and self.batch > self.at_once:
            raise ValueError(f"--batch {self.batch}: give a multiple of --at-once {self.at_once}")


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


@dataclass(frozen=True)
class Sft(Settings):
    """Supervised fine-tuning: the model learns to say what the rows say."""

    columns: ClassVar[tuple[tuple[str, ...], ...]] = (("input_ids", "labels"), ("prompt", "completion"), ("messages",))


@dataclass(frozen=True)
class Dpo(Settings):
    """Direct preference optimisation (arXiv 2305.18290): the better of two answers becomes the likelier one."""

    columns: ClassVar[tuple[tuple[str, ...], ...]] = (("prompt", "chosen", "rejected"),)

    beta: float = 0.1
    """how dearly moving away from the model at the beginning is paid for"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.beta > 0:
            raise ValueError(f"--beta {self.beta}: give a number above 0")


@dataclass(frozen=True)
class Kto(Dpo):
    """Kahneman-Tversky optimisation (arXiv 2402.01306): answers that are good or bad, each by itself."""

    columns: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("prompt", "completion", "label"),
        ("prompt", "chosen", "rejected"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.at_once < 2 or self.batch < 2:
            raise ValueError("--at-once 1: KTO compares each answer with its neighbour's; give at least 2")


@dataclass(frozen=True)
class Reward(Settings):
    """A reward model: one number for an answer, higher for the better of two."""

    columns: ClassVar[tuple[tuple[str, ...], ...]] = (("prompt", "chosen", "rejected"),)


@dataclass(frozen=True)
class Grpo(Settings):
    """Group relative policy optimisation (arXiv 2402.03300), acting in the environments of a run."""

    rollouts: int = 8
    """attempts at each task, whose rewards are compared"""
    turns: int = 20
    """actions of one attempt at most"""
    max_reply: int = 2048
    """tokens of one attempt at most, the environment's answers included"""
    temperature: float = 1.0
    """how freely actions are sampled"""
    progress: float = 0.2
    """reward for the whole goal nearly reached, beside 1 for a solved task; 0: solved tasks alone count"""
    beta: float = 0.0
    """how dearly moving away from the model at the beginning is paid for; 0: that model is not even loaded"""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("rollouts", 2), ("turns", 1), ("max_reply", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"{flag(name)} {getattr(self, name)}: give at least {least}")
        if self.batch % self.rollouts:
            raise ValueError(f"--batch {self.batch}: give a multiple of --rollouts {self.rollouts}")
        if not self.temperature > 0:
            raise ValueError(f"--temperature {self.temperature}: give a number above 0")
        if not 0 <= self.progress < 1:
            raise ValueError(f"--progress {self.progress}: give 0 or more, and less than 1")
        if self.beta < 0:
            raise ValueError(f"--beta {self.beta}: give 0 or more")


METHODS: dict[str, type[Settings]] = {"sft": Sft, "dpo": Dpo, "kto": Kto, "grpo": Grpo, "reward": Reward}
