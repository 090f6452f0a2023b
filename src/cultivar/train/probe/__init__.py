"""The probe: a small transformer trained from nothing in minutes, which tells whether a set of trajectories teaches.

words      a vocabulary of whole words, out of the training texts
dialogues  trajectories as rows of numbers, with what is to be learned flagged
network    the model: Llama's shape, a cache for play
fit        training: Muon and AdamW, a budget of tokens
play       episodes in worlds, freely or with the choice among what can be done, and at random
"""
