"""The subcommands: one file each, imported only when its command runs."""
