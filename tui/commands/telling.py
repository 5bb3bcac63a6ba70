"""Telling somebody who may have stopped reading.

A pipe that breaks, or a disk that is full, must not end what is being written to a cluster half
way: then the rest is told to nobody, and the exit code says how it ended.
"""

from __future__ import annotations

import os
import sys

import click


def say(line: str, *, err: bool = False) -> bool:
    """Print a line to stdout or stderr; False if nobody takes it, nor any more there."""
    try:
        click.echo(line, err=err)
    except OSError:
        give_up(err=err)
        return False
    return True


def give_up(*, err: bool = False) -> None:
    """What is printed there from now on, or still waits to be, goes nowhere."""
    stream = sys.stderr if err else sys.stdout
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)
