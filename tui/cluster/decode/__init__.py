"""API JSON to rows: typed partial decoding straight from bytes, one module a family."""
