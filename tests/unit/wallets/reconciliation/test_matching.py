"""Which line is which entry."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from wallets.reconciliation.matching import Side, match, references

DAY = date(2026, 3, 11)


def side(key: int, amount: int, after: int = 0, *refs: str) -> Side:
    return Side(key, amount, DAY + timedelta(days=after), references(*refs))


class TestMatch:
    def test_goes_by_reference_first_and_says_on_what_two_differ(self) -> None:
        ours = [side(1, 100, 0, "A-1"), side(2, 200, 0, "b2"), side(3, 300, 0, "c3")]
        theirs = [side(1, 100, 1, "a1"), side(2, 250, 0, "B-2"), side(3, 300, 9, "c3")]
        found = match(ours, theirs)
        assert [(pair.ours.key, pair.theirs.key, pair.reason) for pair in found.pairs] == [(1, 1, ""), (2, 2, "amount"), (3, 3, "day")]
        assert (found.missing, found.extra) == ([], [])

    def test_takes_the_nearest_of_equal_amounts(self) -> None:
        found = match([side(1, 100, 0), side(2, 100, 2)], [side(1, 100, 2), side(2, 100, 1)])
        assert {(pair.ours.key, pair.theirs.key) for pair in found.matched} == {(2, 1), (1, 2)}

    def test_leaves_what_is_too_far_apart(self) -> None:
        found = match([side(1, 100, 0)], [side(1, 100, 4)])
        assert ([one.key for one in found.missing], [one.key for one in found.extra]) == ([1], [1])

    def test_tells_a_payment_from_its_return(self) -> None:
        ours = [side(1, -100, 0, "p"), side(2, 100, 5, "p")]
        found = match(ours, [side(1, 100, 5, "p"), side(2, -100, 0, "p")])
        assert {(pair.ours.key, pair.theirs.key, pair.reason) for pair in found.pairs} == {(2, 1, ""), (1, 2, "")}

    def test_twice_in_the_file_is_missing_once(self) -> None:
        found = match([side(1, 100, 0, "p")], [side(1, 100, 0, "p"), side(2, 100, 0, "p")])
        assert ([one.key for one in found.missing], len(found.matched)) == ([2], 1)

    sides = st.lists(st.tuples(st.sampled_from([-5, 5, 7]), st.integers(0, 9), st.sampled_from(["", "x", "y"])), max_size=12)

    @settings(max_examples=200, deadline=None)
    @given(ours=sides, theirs=sides)
    def test_uses_everything_once(self, ours: list[tuple[int, int, str]], theirs: list[tuple[int, int, str]]) -> None:
        mine = [side(number, amount, after, ref) for number, (amount, after, ref) in enumerate(ours)]
        other = [side(number, amount, after, ref) for number, (amount, after, ref) in enumerate(theirs)]
        found = match(mine, other)
        assert sorted([pair.ours.key for pair in found.pairs] + [one.key for one in found.extra]) == list(range(len(mine)))
        assert sorted([pair.theirs.key for pair in found.pairs] + [one.key for one in found.missing]) == list(range(len(other)))
        assert all(pair.ours.amount == pair.theirs.amount for pair in found.pairs if pair.reason != "amount")
