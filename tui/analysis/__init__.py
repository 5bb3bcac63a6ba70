"""Pure functions over the state: what the rows mean. No I/O, no Textual."""
