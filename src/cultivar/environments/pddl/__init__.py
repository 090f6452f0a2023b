"""Planning worlds: PDDL read, checked, grounded, simulated, solved, told in words and audited."""
