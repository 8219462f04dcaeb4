from __future__ import annotations

import math

import pytest

from callflow.engine.figures import MOST, BadFigures, Figures


def test_figures_are_kept_with_their_age() -> None:
    now = [10.0]
    figures = Figures(lambda: now[0])
    assert figures.age_seconds == math.inf
    figures.take({"callflow_database_up": 1, "callflow_database_lag_seconds": 0.5})
    now[0] = 12.0
    figures.take({"callflow_database_up": 0})
    now[0] = 13.5
    assert figures.values == {"callflow_database_up": 0.0, "callflow_database_lag_seconds": 0.5}
    assert figures.age_seconds == 1.5


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"x": 1},
        {"callflow_x": "1"},
        {"callflow_x": True},
        {"callflow_x\n": 1},
        {f"callflow_x{number}": 1 for number in range(MOST + 1)},
    ],
)
def test_what_is_no_figure_is_refused_whole(document: object) -> None:
    figures = Figures()
    with pytest.raises(BadFigures):
        figures.take(document)
    assert figures.values == {}
