"""What may reach the screen, and how wide it is."""

from __future__ import annotations

import gc
import unicodedata
import weakref

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.thorough import examples
from tui import text
from tui.text import clean, fit, fit_tail, pad, shorten, shorten_tail, wrap

EVERYTHING = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.characters(categories=("Cc", "Cf", "Mn", "Me", "Mc", "Zs", "Cs", "Co")),
        st.sampled_from(
            "\x1b\x9b\x9d\x90\x9c\x07[]PX;?0m\\ a한😀\u0301\u200d\u202e\ufe0f\u3164\u1161"
        ),
    ),
    max_size=60,
)
SHOWN = EVERYTHING.map(clean)
prove = settings(derandomize=True, deadline=None, max_examples=examples(60, 1000))


class TestClean:
    @prove
    @given(EVERYTHING)
    @example("a\u0301\u200b\u0301\u200b\u0301\u200b\u0301")
    @example("\x1b\x1b[m[31m")
    def test_one_line_of_printable_characters(self, raw: str) -> None:
        shown = clean(raw)
        assert "\n" not in shown
        assert shown == " ".join(shown.split())
        for char in shown:
            assert unicodedata.category(char)[0] != "C", hex(ord(char))
            assert char == " " or not char.isspace()
        assert not any("\ufe00" <= c <= "\ufe0f" or c in "\u034f\u115f\u1160\u3164" for c in shown)
        assert clean(shown) == shown

    @prove
    @given(EVERYTHING)
    @example("\u1161")
    @example("a\u1161\u11ab\u1161")
    def test_nothing_without_width_climbs_over_its_neighbours(self, raw: str) -> None:
        run = 2
        for char in clean(raw):
            run = run + 1 if cell_len(char) == 0 else 0
            assert run <= 2

    @pytest.mark.parametrize(
        "hostile",
        [
            "a\x1b[31mb",
            "a\x1b[38;2;1;2;3mb",
            "a\x1b[?1049hb",
            "a\x1b[2Jb",
            "a\x9b31mb",
            "a\x1b]0;title\x07b",
            "a\x1b]8;;http://x\x1b\\b",
            "a\x1b]52;c;aGk=\x9cb",
            "a\x9d0;title\x9cb",
            "a\x9d0;title\x07b",
            "a\x1bP1$r\x1b\\b",
            "a\x90payload\x9cb",
            "a\x1b_apc\x1b\\b",
            "a\x9fapc\x1b\\b",
            "a\x1bcb",
            "a\x1b(0b",
            "a\x1b7b",
            "a\x1b]0;first\nsecond\x07b",
        ],
    )
    def test_escape_sequences_vanish_whole(self, hostile: str) -> None:
        assert clean(hostile) == "ab"

    def test_an_unfinished_string_takes_the_rest_as_a_terminal_would(self) -> None:
        assert clean("a\x1b]0;the rest\nof it") == "a"

    def test_a_wrong_encoding_does_not_swallow_the_message(self) -> None:
        assert clean("said â\x80\x9dno\x9d to it") == "said âno to it"

    @pytest.mark.parametrize("removed", ["\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad",
                                         "\ue000", "\ud800", "\u2060", "\U000e0041", "\U000e0100",
                                         "\x00", "\x7f", "\u034f", "\u3164", "\u180b",
                                         "\u180f", "\ufe00", "\ufe0f", "\U000e01ef",
                                         "\uffa0"])  # fmt: skip
    def test_what_is_not_seen_is_not_shown(self, removed: str) -> None:
        assert clean(f"a{removed}b") == "ab"

    @pytest.mark.parametrize(
        "spaced", ["a\tb", "a\r\nb", "a\u00a0b", "a\u2028b", "a\x85b", " a　b ", "a  b ", "a b "]
    )
    def test_white_space_is_folded(self, spaced: str) -> None:
        assert clean(spaced) == "a b"

    @pytest.mark.parametrize(
        "kept",
        ["결제-서비스", "\u1112\u1161\u11ab", "👍🏽 🚀", "e\u0301", "[/] [bold]x[/bold]",
         "[@click=quit]x", "naïve – “quoted”", "日本語"],
    )  # fmt: skip
    def test_words_and_markup_are_kept_as_they_are(self, kept: str) -> None:
        assert clean(kept) == kept

    def test_joined_emoji_come_apart(self) -> None:
        assert clean("👨\u200d👩\u200d👧 ❤\ufe0f") == "👨👩👧 ❤"

    @pytest.mark.parametrize("unit", ["x", "한", "\x1b[31mx", "\x90", "a\u0301\u0301\u0301", " "])
    def test_huge_texts_are_bounded(self, unit: str) -> None:
        assert len(clean(unit * 500_000)) <= 2000

    def test_huge_texts_are_not_kept(self) -> None:
        class Huge(str):
            """A text that can be watched going."""

        huge = Huge("한" * 100_000)
        watched = weakref.ref(huge)
        clean(huge)
        del huge
        gc.collect()
        assert watched() is None


class TestFit:
    @prove
    @given(SHOWN, st.integers(-2, 40))
    def test_exactly_as_wide_as_asked(self, shown: str, cells: int) -> None:
        room = max(0, cells)
        assert cell_len(fit(shown, cells)) == room
        assert cell_len(fit_tail(shown, cells)) == room
        assert cell_len(shorten(shown, cells)) <= room
        assert cell_len(shorten_tail(shown, cells)) <= room
        for cut in (shorten(shown, cells), shorten_tail(shown, cells)):
            assert cut == shown or room == 0 or "…" in cut

    @prove
    @given(SHOWN, st.integers(0, 40), st.booleans())
    def test_padding_never_cuts(self, shown: str, cells: int, right: bool) -> None:
        padded = pad(shown, cells, right)
        assert cell_len(padded) == max(cells, cell_len(shown))
        assert padded.endswith(shown) if right else padded.startswith(shown)

    @prove
    @given(SHOWN, st.integers(2, 30))
    def test_wrapping_keeps_every_word(self, shown: str, cells: int) -> None:
        lines = wrap(shown, cells)
        assert all(0 < cell_len(line) <= cells or not cell_len(shown) for line in lines)
        assert "".join(lines).replace(" ", "") == shown.replace(" ", "")

    def test_names_keep_their_tail(self) -> None:
        assert fit_tail("fastapi-deploy-66b8c95455-thvgk", 12) == "…95455-thvgk"
        assert fit("fastapi-deploy-66b8c95455-thvgk", 12) == "fastapi-dep…"

    def test_a_wide_character_is_not_cut_in_half(self) -> None:
        assert fit("결제서비스", 4) == "결… "
        assert fit_tail("결제서비스", 4) == "…스 "
        assert fit("결제서비스", 5) == "결제…"

    def test_words_are_broken_between(self) -> None:
        assert wrap("0/2 nodes are available: 2 Insufficient cpu.", 16) == [
            "0/2 nodes are",
            "available: 2",
            "Insufficient",
            "cpu.",
        ]
        assert wrap("", 10) == []
        assert wrap("x", 1) == []


# Two tables of k8s.io/apimachinery/pkg/util/duration/duration_test.go, Kubernetes 1.3x.
_MINUTE, _HOUR, _DAY, _YEAR = 60.0, 3600.0, 86400.0, 365 * 86400.0
_MS = 0.001
HUMAN_DURATIONS = [
    (1, "1s"),
    (70, "70s"),
    (190, "3m10s"),
    (70 * _MINUTE, "70m"),
    (47 * _HOUR, "47h"),
    (49 * _HOUR, "2d1h"),
    (8 * _DAY + 2 * _HOUR, "8d"),
    (367 * _DAY, "367d"),
    (2 * _YEAR + 25 * _HOUR, "2y1d"),
    (8 * _YEAR + 2 * _HOUR, "8y"),
    (-2 + 1e-6, "0s"),
    (0, "0s"),
    (1 - _MS, "0s"),
    (2 * _MINUTE - _MS, "119s"),
    (2 * _MINUTE, "2m"),
    (2 * _MINUTE + 1, "2m1s"),
    (10 * _MINUTE - _MS, "9m59s"),
    (10 * _MINUTE, "10m"),
    (10 * _MINUTE + 1, "10m"),
    (3 * _HOUR - _MS, "179m"),
    (3 * _HOUR, "3h"),
    (3 * _HOUR + _MINUTE, "3h1m"),
    (8 * _HOUR - _MS, "7h59m"),
    (8 * _HOUR, "8h"),
    (8 * _HOUR + 59 * _MINUTE, "8h"),
    (2 * _DAY - _MS, "47h"),
    (2 * _DAY, "2d"),
    (2 * _DAY + _HOUR, "2d1h"),
    (8 * _DAY - _MS, "7d23h"),
    (8 * _DAY, "8d"),
    (8 * _DAY + 23 * _HOUR, "8d"),
    (2 * _YEAR - _MS, "729d"),
    (2 * _YEAR, "2y"),
    (2 * _YEAR + 23 * _HOUR + 59 * _MINUTE, "2y"),
    (2 * _YEAR + _DAY - _MS, "2y"),
    (2 * _YEAR + _DAY, "2y1d"),
    (3 * _YEAR, "3y"),
    (7 * _YEAR, "7y"),
    (8 * _YEAR - _MS, "7y364d"),
    (8 * _YEAR, "8y"),
    (8 * _YEAR + 364 * _DAY, "8y"),
    (9 * _YEAR, "9y"),
]


class TestNumbers:
    @pytest.mark.parametrize(("seconds", "printed"), HUMAN_DURATIONS)
    def test_age_is_printed_as_kubectl_does(self, seconds: float, printed: str) -> None:
        assert text.age(seconds) == printed

    def test_the_future_is_now(self) -> None:
        assert text.age(-3600) == "0s"

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [(0, "0 s"), (-5, "0 s"), (7.9, "7 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"),
         (7200, "2 h"), (172799, "47 h"), (172800, "2 days")],
    )  # fmt: skip
    def test_spans_in_sentences(self, seconds: float, words: str) -> None:
        assert text.span(seconds) == words
        assert text.ago(seconds) == f"{words} ago"

    @pytest.mark.parametrize(
        ("milli", "printed"),
        [(0, "0m"), (487, "487m"), (1500, "1500m"), (9999, "9999m"), (9999.7, "10.0"),
         (10_000, "10.0"), (12_500, "12.5"), (-3, "-3m")],
    )  # fmt: skip
    def test_cpu(self, milli: float, printed: str) -> None:
        assert text.cpu(milli) == printed

    @pytest.mark.parametrize(
        ("milli", "printed"),
        [(0, "0"), (250, "0.25"), (1620, "1.62"), (2000, "2"), (9990, "9.99"), (9996, "10"),
         (12_000, "12"), (12_600, "13")],
    )  # fmt: skip
    def test_cores(self, milli: float, printed: str) -> None:
        assert text.cores(milli) == printed

    @pytest.mark.parametrize(
        ("count", "printed"),
        [(0, "0"), (1023, "1023"), (1024, "1Ki"), (999 * 1024, "999Ki"), (1000 * 1024, "1Mi"),
         (128 * 1024**2, "128Mi"), (999.7 * 1024**2, "1.0Gi"), (1.9 * 1024**3, "1.9Gi"),
         (9.96 * 1024**3, "10Gi"), (64 * 1024**3, "64Gi"), (2.5 * 1024**4, "2.5Ti")],
    )  # fmt: skip
    def test_memory(self, count: float, printed: str) -> None:
        assert text.memory(count) == printed

    @pytest.mark.parametrize(
        ("thousandths", "printed"),
        [(0, "0"), (250, "250m"), (999.7, "1"), (1500, "1.5"), (1000, "1"), (1234.5, "1.23"),
         (1_234_500, "1234"), (9_999_000, "9999"), (9_999_900, "10k"), (12_000_000, "12k"),
         (999_999_000, "1M"), (1.5e15, "1.5T"), (-1500, "-1.5")],
    )  # fmt: skip
    def test_quantities(self, thousandths: float, printed: str) -> None:
        assert text.quantity(thousandths) == printed

    @prove
    @given(st.floats(-1e21, 1e21))
    def test_quantities_are_short_and_true(self, thousandths: float) -> None:
        printed = text.quantity(thousandths)
        assert len(printed.lstrip("-")) <= 5
        scale = {"m": 1.0, "k": 1e6, "M": 1e9, "G": 1e12, "T": 1e15, "P": 1e18, "E": 1e21}
        suffix = printed[-1] if printed[-1] in scale else ""
        value = float(printed.removesuffix(suffix)) * scale.get(suffix, 1e3)
        assert value == pytest.approx(thousandths, rel=0.006, abs=0.5)

    def test_what_is_not_known_is_a_dash(self) -> None:
        for say in (text.age, text.cpu, text.cores, text.memory, text.percent, text.quantity):
            assert say(None) == "–"

    def test_percent_and_plural(self) -> None:
        assert text.percent(87.4) == "87 %"
        assert [text.plural(n, "pod") for n in (0, 1, 2)] == ["0 pods", "1 pod", "2 pods"]
