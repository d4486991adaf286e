"""Recipes and presets: sealed, of one account, and never in the way of a release."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from compliance.errors import NotAPicture, OptionUnfit, SessionLocked, SignetError
from studio.offers import picture_offers
from studio.recipes import FOLDER, Recipe
from studio.workshop import Workshop
from tests.compliance.home import PASSWORD
from tests.studio.conftest import prove
from tests.studio.test_pictures import finish

SCENE = {"prompt": "a quiet boat on a lake at sunset", "negative": "", "width": 320, "height": 200}


def test_nothing_is_told_while_the_keys_are_locked(studio_folder: Path, tmp_path: Path) -> None:
    """Neither recipes nor presets are read or written without the password."""
    shutil.copytree(studio_folder, tmp_path / "home")
    with Workshop(tmp_path / "home", "own", None) as locked:
        for ask in (
            lambda: locked.recipes.of_release("0" * 16),
            lambda: locked.recipes.presets("picture.sketch"),
            lambda: locked.recipes.save_preset("a", Recipe("picture.sketch")),
        ):
            with pytest.raises(SessionLocked):
                ask()
    assert not (tmp_path / "home" / FOLDER).exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x00b", "tab\x1b[31m"])
def test_a_preset_needs_a_name(workshop: Workshop, name: str) -> None:
    """Empty, endless and unprintable names are refused."""
    with pytest.raises(OptionUnfit):
        workshop.recipes.save_preset(name, Recipe("picture.sketch"))


def test_a_name_that_is_taken_or_unknown_is_no_new_name(workshop: Workshop) -> None:
    """Renaming loses no preset."""
    recipes = workshop.recipes
    recipes.save_preset("one", Recipe("picture.sketch", {"width": 320}))
    recipes.save_preset("two", Recipe("picture.sketch", {"width": 640}))
    for name, new in (("one", "two"), ("three", "four")):
        with pytest.raises(OptionUnfit):
            recipes.rename_preset("picture.sketch", name, new)
    recipes.rename_preset("picture.sketch", "one", "small")
    assert {name: one.options["width"] for name, one in recipes.presets("picture.sketch").items()} == {
        "small": 320,
        "two": 640,
    }
    recipes.delete_preset("picture.sketch", "two")
    assert list(recipes.presets("picture.sketch")) == ["small"]
    assert recipes.presets("picture.enhance") == {}


def test_a_bent_file_is_no_recipe(workshop: Workshop) -> None:
    """One byte changed, or one file put in the place of another: nothing is read from it."""
    recipes = workshop.recipes
    recipes.save_preset("one", Recipe("picture.sketch", {"prompt": "a lake"}))
    recipes.save_preset("two", Recipe("picture.enhance"))
    first, second = sorted((workshop.home / FOLDER).iterdir())
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    assert not (recipes.presets("picture.sketch") and recipes.presets("picture.enhance"))
    first.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    assert not (recipes.presets("picture.sketch") and recipes.presets("picture.enhance"))


def test_a_release_can_be_made_again_and_its_words_stand_nowhere_in_plain(workshop: Workshop, tmp_path: Path) -> None:
    """Every option and the seed come back; no file of the home holds a word of the prompt; others read nothing."""
    running = finish(workshop, workshop.plan_picture("picture.sketch", SCENE, seed=77))
    released = workshop.release(running, tmp_path / "boat.png")
    recipe = workshop.recipes.of_release(released.id)
    assert recipe is not None
    assert (recipe.engine, dict(recipe.options), recipe.seed) == ("picture.sketch", SCENE, 77)
    for path in workshop.home.rglob("*"):
        if path.is_file():
            assert b"quiet boat" not in path.read_bytes(), path.name
    workshop.create_account("second", PASSWORD)
    prove(workshop, "second", "Second Example")
    workshop.login("second", PASSWORD)
    assert workshop.recipes.of_release(released.id) is None
    assert workshop.recipes.presets("picture.sketch") == {}


def test_a_release_stands_where_its_recipe_cannot_be_kept(workshop: Workshop, tmp_path: Path) -> None:
    """A file lies where the folder of recipes should be: the picture is released all the same."""
    (workshop.home / FOLDER).write_bytes(b"")
    running = finish(workshop, workshop.plan_picture("picture.sketch", SCENE))
    released = workshop.release(running, tmp_path / "boat.png")
    assert released.path.is_file() and workshop.recipes.of_release(released.id) is None


def test_damage_is_found_in_the_worker_and_can_be_given_back(workshop: Workshop, tmp_path: Path) -> None:
    """A scratched picture: the mask has its size and marks the scratch; no picture is refused."""
    with pytest.raises(NotAPicture):
        (tmp_path / "no.png").write_bytes(b"no picture")
        workshop.find_damage(tmp_path / "no.png")
    pixels = np.full((200, 300, 3), 120, np.uint8)
    pixels[20:180, 150:152] = 255
    Image.fromarray(pixels).save(tmp_path / "old.png")
    width, height, bits = workshop.find_damage(tmp_path / "old.png", 0.8)
    mask = np.unpackbits(np.frombuffer(bits, np.uint8).reshape(height, -1), axis=1)[:, :width]
    assert (width, height) == (300, 200)
    assert mask[60:140, 150:152].mean() > 0.9 and mask[:, :100].sum() == 0


def test_a_mask_may_be_given_as_bytes(workshop: Workshop, tmp_path: Path) -> None:
    """What is painted in the window touches no disk; bytes that are no picture are refused by the worker."""
    Image.fromarray(np.full((200, 300, 3), 120, np.uint8)).save(tmp_path / "old.png")
    plan = workshop.plan_picture("picture.restore", {}, picture=tmp_path / "old.png", mask=b"nothing")
    assert [item.role for item in plan.request.inputs] == ["target", "mask"]
    with pytest.raises(SignetError):
        finish(workshop, plan)


def test_without_packs_the_sketch_painter_comes_first(workshop: Workshop) -> None:
    """Three built-in ways; a pack is no option of a panel."""
    offers = picture_offers(workshop.home)
    assert [offer.engine for offer in offers] == ["picture.sketch", "picture.enhance", "picture.restore"]
    assert offers[0].takes_words and not offers[1].takes_words
    assert all(option.name != "pack" for offer in offers for option in offer.options)
