"""The book of the timeline's lines, beside a plain list."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.thorough import examples
from tui.analysis.entries import CAPACITY, Entry, Journal, Mood, whose

TIMES = st.floats(0, 20)


IN_VIEW = ("HorizontalPodAutoscaler/shop/web-hpa", "Deployment/shop/web")


@pytest.mark.parametrize(
    ("of", "text", "named"),
    [
        ("", "node lab joined", ""),
        ("HorizontalPodAutoscaler/shop/web-hpa", "1 ▶ 2", ""),
        ("Deployment/shop/web", "2 pods created", ""),
        ("HorizontalPodAutoscaler/shop/api-hpa", "1 ▶ 2", "api-hpa"),
        ("Deployment/shop/api", "2 pods created", "api"),
        ("Deployment/test/web", "2 pods created", "test/web"),
        ("StatefulSet/shop/db", "db-0 Ready", ""),
    ],
)
def test_a_line_of_others_is_named(of: str, text: str, named: str) -> None:
    assert whose(Entry(0.0, Mood.QUIET, text, of=of), IN_VIEW) == named


class _Book(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.journal = Journal()
        self.lines: list[Entry] = []
        """In the order of their coming."""

    @rule(time=TIMES, many=st.sampled_from([1, 1, 1, CAPACITY // 3]))
    def add(self, time: float, many: int) -> None:
        for number in range(many):
            entry = Entry(time, Mood.QUIET, f"line {len(self.lines) + number}")
            self.journal.add(entry)
            self.lines.append(entry)
        del self.lines[:-CAPACITY]

    @rule(which=st.integers(0, 2 * CAPACITY))
    def remove(self, which: int) -> None:
        if self.lines:
            entry = self.lines.pop(which % len(self.lines))
            self.journal.remove(entry)
            self.journal.remove(entry)

    @rule(which=st.integers(0, 2 * CAPACITY), time=TIMES)
    def replace(self, which: int, time: float) -> None:
        if self.lines:
            at = which % len(self.lines)
            entry = self.lines[at]._replace(time=time)
            self.journal.replace(self.lines[at], entry)
            self.lines[at] = entry

    @invariant()
    def reads_the_same(self) -> None:
        newest = sorted(self.lines, key=lambda entry: int(entry.time))[::-1]
        assert all(a is b for a, b in zip(self.journal.entries, newest, strict=True))


TestBook = _Book.TestCase
TestBook.settings = settings(
    derandomize=True,
    deadline=None,
    max_examples=examples(15, 200),
    stateful_step_count=30,
)
