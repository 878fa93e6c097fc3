"""Contact sheets show the chosen pictures in rows."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import decoded, file, plain

from realart.data import contact_sheets

RED, BLUE = (255, 0, 0), (0, 0, 255)


def stored(folder: Path, name: str, colour: tuple[int, int, int]) -> Path:
    (folder / name).write_bytes(file(plain(colour)))
    return folder / name


def test_each_row_shows_its_pictures(tmp_path: Path) -> None:
    red, blue = stored(tmp_path, "red.png", RED), stored(tmp_path, "blue.png", BLUE)
    contact_sheets.draw_sheet(
        {"reds": [red] * 9, "one blue": [blue]}, tmp_path / "deep/x.jpg", per_row=3
    )
    shown = decoded((tmp_path / "deep/x.jpg").read_bytes())

    def tiles(colour: tuple[int, int, int], half: int) -> int:
        rows = np.array_split(shown.astype(int), 2)[half]
        return round((np.abs(rows - colour).max(2) < 60).sum() / (132 * 110))

    assert [tiles(RED, 0), tiles(BLUE, 0), tiles(RED, 1), tiles(BLUE, 1)] == [3, 0, 0, 1]


@pytest.mark.parametrize("rows", [{}, {"none": []}])
def test_nothing_to_show_is_no_error(rows: dict[str, list[Path]], tmp_path: Path) -> None:
    contact_sheets.draw_sheet(rows, tmp_path / "x.jpg")
    assert decoded((tmp_path / "x.jpg").read_bytes()).size


@given(st.lists(st.integers(), unique=True, max_size=40), st.integers(1, 12))
def test_evenly_spaced_files_span_the_list_in_order(items: list[int], count: int) -> None:
    chosen = contact_sheets.evenly_spaced([Path(str(item)) for item in items], count)
    positions = [items.index(int(str(path))) for path in chosen]
    assert len(positions) == min(count, len(items))
    assert positions == sorted(set(positions))
    if count > 1 and items:
        assert (positions[0], positions[-1]) == (0, len(items) - 1)
