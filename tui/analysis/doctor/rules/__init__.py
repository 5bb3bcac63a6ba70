"""One fault a file; each has it as ``RULE``."""
