"""`homesystem rule try`: a draft that is not there."""

from pathlib import Path

import pytest

from deploy.record import trying
from shared.words.problem import HomeError


def test_a_draft_that_is_not_there_is_no_file_that_the_set_up_would_write(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match=r"not-found.*draft\.toml is not there; --rules names the file with the draft"):
        trying.drafted(tmp_path / "draft.toml")
