"""What a run comes to."""

from tests.bench.load import Figures


def test_quantiles_are_values_that_were_measured_in_milliseconds() -> None:
    figures = Figures(1, [number / 1000 for number in range(1, 101)], 2.0)
    assert [figures.quantile(q) for q in (0.0, 0.5, 0.99, 1.0)] == [1.0, 51.0, 100.0, 100.0]
    assert figures.rate == 50.0
