"""Screens: they compose panes and answer keys."""
