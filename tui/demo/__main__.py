"""``python -m tui.demo``: the embedded cluster by itself."""

from tui.demo.main import command

if __name__ == "__main__":
    command(prog_name="python -m tui.demo")
