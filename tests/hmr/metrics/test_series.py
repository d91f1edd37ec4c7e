from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.metrics.series import WINDOW, Series


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=300))
def test_a_series_equals_numpy(values):
    series = Series()
    for value in values:
        series.add(value)
    assert len(series) == len(values)
    assert series.mean() == pytest.approx(np.mean(values))
    assert series.max() == max(values)
    for percent in (0, 50, 99, 100):
        assert series.percentile(percent) == np.percentile(values, percent, method="inverted_cdf")
    assert series.percentiles(50, 99) == [series.percentile(50), series.percentile(99)]


def test_percentiles_look_at_the_last_values_and_the_maximum_at_all():
    series = Series()
    series.add(10**9)
    for _ in range(WINDOW):
        series.add(5)
    assert series.percentile(100) == 5
    assert series.max() == 10**9


def test_an_empty_series_is_zero():
    assert Series().summary(1e6) == {"mean": 0.0, "p99": 0.0, "max": 0.0}


def test_a_summary_is_in_its_unit():
    series = Series()
    series.add(2_500_000)
    assert series.summary(1e6) == {"mean": 2.5, "p99": 2.5, "max": 2.5}
