"""Agents that act in environments: the loop, the policies, and the search over what a policy proposes."""
