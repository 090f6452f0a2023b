"""GRPO on the tasks of __PACKAGE__: python train.py MODEL [STEPS]"""

import sys

from __PACKAGE__ import Worlds, progress, rows
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

if __name__ == "__main__":
    model, steps = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100
    settings = GRPOConfig(
        output_dir="trained",
        max_steps=steps,
        num_generations=8,
        per_device_train_batch_size=8,
        max_completion_length=4096,  # of the whole episode, observations included
        max_tool_calling_iterations=60,
        reward_weights=[0.2],  # progress, beside the 1 for a solved task
        log_completions=True,
    )
    trainer = GRPOTrainer(
        model=model,
        args=settings,
        train_dataset=Dataset.from_list(rows()),
        reward_funcs=[progress],
        environment_factory=Worlds,
    )
    trainer.train()
