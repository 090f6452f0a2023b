"""Environments that others made, behind cultivar's protocol: each in a module of its own.

    reasoning       reasoning-gym's generated questions, with its verifiers: one answer to a task
    minigrid        MiniGrid and BabyAI, told in words; BabyAI's bot is the gold solution
    gymnasium_text  any Gymnasium environment that speaks text, or that a function tells in text
    textworld       TextWorld: games made on the spot, in an interpreter that has it (textworld_server); no extra
    scienceworld    ScienceWorld: science experiments in a simulated house; a Java process to an environment
    bounded         what they share: counted steps, cut texts, rewards in [0, 1]

A spec names the package's own environment (``spec(...)``), a task names a seed or variation of it (``tasks(...)``), and
``EnvironmentSpec.meta`` says with which version of the package it was made.
"""
