"""The doors out: what keys do to the world beyond the screen. Bursts, and careful apply."""
