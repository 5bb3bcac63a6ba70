"""Setups: folders of manifests that are applied, watched and deleted as one."""
