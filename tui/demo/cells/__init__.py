"""The cells of server-side tables, by what the rows are about."""
