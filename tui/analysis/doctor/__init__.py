"""Diagnosis: the traps people fall into, one rule a file, pure over what was read."""
