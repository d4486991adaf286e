"""Films made elsewhere: from the command to a file that verifies."""

from __future__ import annotations

from pathlib import Path

from compliance import verify
from tests.engines.films import encoded, turned
from tests.studio import command_line
from tests.studio.test_seal import TOOL, Signet

english, signet, template = command_line.english, command_line.signet, command_line.template


def test_a_film_needs_a_word_on_the_people_in_it(signet: Signet, tmp_path: Path) -> None:
    """Faces are not counted in films: without consents or a declaration nothing is made."""
    film = tmp_path / "walk.mp4"
    film.write_bytes(encoded(4))
    answer = signet("seal", str(film), *TOOL)
    assert answer.code == 5
    assert not (tmp_path / "walk-sealed.mp4").exists()


def test_a_damaged_film_is_one_sentence(signet: Signet, tmp_path: Path) -> None:
    """And a code; nothing else is left behind."""
    film = tmp_path / "walk.mp4"
    film.write_bytes(encoded(9)[:-700])
    answer = signet("seal", str(film), *TOOL, "--nobody-real")
    assert answer.code != 0
    assert "Traceback" not in answer.err
    assert [path.name for path in tmp_path.glob("walk*")] == ["walk.mp4"]


def test_a_film_is_sealed_upright_with_its_sound(signet: Signet, tmp_path: Path) -> None:
    """A turned clip with sound goes in, a labelled one comes out, sealed in every row."""
    film = tmp_path / "walk.mp4"
    film.write_bytes(turned(encoded(9, sound_s=1.1, size=(192, 160)), 1))
    answer = signet("seal", str(film), *TOOL, "--nobody-real", "--out", str(tmp_path / "out.mov"))
    assert answer.code == 0, answer.err
    found = verify.verify_file(tmp_path / "out.mov")
    assert found.verdict == "sealed"
    seen = found.layers["explicit"].evidence
    assert seen["labelled_share"] == 1.0
    assert seen["sound"]["languages"] == ["zh"]
    assert seen["frames"] > 9
