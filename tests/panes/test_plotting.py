from __future__ import annotations

import subprocess
import sys


def test_plotext_comes_without_its_manual() -> None:
    code = (
        "import sys; from tui.panes.plotting import library; plotext = library(); "
        "print(plotext.figure is not None, plotext.__version__, "
        "*[name for name in sys.modules if name.startswith('plotext._doc.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    there, version, *manual = done.stdout.split()
    assert there == "True"
    assert version.startswith("6.")
    assert manual == []
