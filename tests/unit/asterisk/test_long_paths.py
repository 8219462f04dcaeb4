"""What is rendered for an installation whose path is long: Asterisk cuts section names off without a word."""

from __future__ import annotations

import re
from pathlib import Path

from callflow.asterisk.render import render
from callflow.centre import parse_centre
from callflow.settings import Settings

from .test_render import CENTRE, INSTALLATION

LONGEST_SECTION_NAME = 79


def test_no_section_s_name_is_cut_off_and_cel_is_where_we_read_it_when_the_path_is_long(tmp_path: Path) -> None:
    rendered = render(Settings(data_dir=tmp_path / ("long" * 25)), parse_centre(CENTRE, "test"), INSTALLATION)
    try:
        names = {
            name: re.findall(r"^\[([^\]]+)\]", (rendered.etc_dir / name).read_text(), flags=re.MULTILINE)
            for name in rendered.files
        }
        assert [one for all_of_one in names.values() for one in all_of_one if len(one) > LONGEST_SECTION_NAME] == []
        [cel] = names["cel_sqlite3_custom.conf"]
        assert (rendered.base_dir / "log" / cel).resolve() == rendered.cel_database
    finally:
        rendered.run_dir.rmdir()
