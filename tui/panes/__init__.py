"""Widgets, one file a pane. A pane is shown a scene and draws it; it fetches nothing."""
