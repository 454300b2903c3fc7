from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import charts
from core.money import Money


def chart(*amounts: int, currency: str = "EUR", language: str = "en") -> charts.LineChart:
    start = date(2026, 10, 22)
    series = [(start + timedelta(days=index), Money(amount, currency)) for index, amount in enumerate(amounts)]
    return charts.line_chart(series, language=language, name="Balance", value_name="Balance")


class TestLineChart:
    def test_needs_two_days(self) -> None:
        with pytest.raises(ValueError, match="two days"):
            chart(100)

    def test_says_what_happened_in_one_sentence(self) -> None:
        assert chart(0, 0, 120_00).summary == "Up €120.00 since 22 October 2026, from €0.00 to €120.00."
        assert chart(50_00, 20_00).summary == "Down €30.00 since 22 October 2026, from €50.00 to €20.00."
        assert chart(20_00, 50_00, 20_00).summary == "The same as on 22 October 2026: €20.00."

    def test_has_three_round_marks_that_hold_all_values(self) -> None:
        assert chart(0, 320_00, 274_80).axis == ["€400", "€200", "€0"]
        assert chart(1_000_00, 1_100_00).axis == ["€1,100", "€1,050", "€1,000"]

    def test_a_flat_line_is_drawn_too(self) -> None:
        assert len(chart(0, 0).points) == 2
        assert len(chart(50_00, 50_00).points) == 2

    @given(st.lists(st.integers(-(10**12), 10**12), min_size=2, max_size=40), st.sampled_from(["EUR", "JPY", "KWD"]))
    def test_points_never_leave_the_drawing(self, amounts: list[int], currency: str) -> None:
        drawn = chart(*amounts, currency=currency)
        assert all(0 <= point.y <= charts.HEIGHT and 0 <= point.x <= charts.WIDTH for point in drawn.points)
        assert drawn.points[0].x == 0
        assert drawn.last.x == charts.WIDTH


class TestBars:
    def chart(self, *amounts: int) -> charts.BarChart:
        parts = [(f"Part {index}", Money(amount, "EUR"), "", "") for index, amount in enumerate(amounts)]
        return charts.bar_chart(parts, language="en", name="x", label_name="Part", value_name="Amount")

    def test_are_longest_first_and_say_their_share(self) -> None:
        chart = self.chart(10_00, 30_00)
        assert [(bar.label, bar.value, bar.share, bar.width) for bar in chart.bars] == [
            ("Part 1", "€30.00", "75%", 1000),
            ("Part 0", "€10.00", "25%", 333),
        ]
        assert chart.summary == "Part 1 is the largest part: €30.00 of €40.00, 75%."

    def test_leave_out_what_is_not_above_zero_and_stay_visible(self) -> None:
        chart = self.chart(10**12, 1, 0, -5)
        assert [bar.width for bar in chart.bars] == [1000, 8]

    def test_need_something_to_show(self) -> None:
        with pytest.raises(ValueError, match="above zero"):
            self.chart(0, -1)
