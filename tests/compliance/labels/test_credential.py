"""The signed credential."""

from __future__ import annotations

import io
import json
import socket
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from compliance.containers import manifest_store, read_container
from compliance.encode import encode_picture
from compliance.errors import LabelPartMissing, LabelTooWeak
from compliance.labels import credential
from compliance.labels.credential import Ingredient, Recipe, make_leaf, make_root, read_credential, sign
from tests.compliance.labels.pictures import (
    XMP,
    jpeg_bytes,
    noise,
    png_bytes,
    png_chunk,
    scene,
    with_jpeg_segment,
    with_png_chunk,
)

ROOT_KEY, ROOT = make_root("Signet root of a test")
LEAF_KEY, LEAF = make_leaf(ROOT_KEY, ROOT, "Signet of a test")
OTHER_KEY, OTHER_ROOT = make_root("Somebody else")
OTHER_LEAF_KEY, OTHER_LEAF = make_leaf(OTHER_KEY, OTHER_ROOT, "Somebody else's signer")
MIMES = {"png": "image/png", "jpeg": "image/jpeg"}
FILES = {form: encode_picture(scene(120, 90), form, XMP) for form in ("png", "jpeg")}
TARGET = jpeg_bytes(scene(64, 48, 2))
SOURCE = png_bytes(scene(64, 48, 3))
EVIDENCE = {"entry": 7, "consents": ["c-1", "c-2"], "tree": {"size": 8, "root": "ab" * 32}}


def recipe(form: str = "png", ingredients: tuple[Ingredient, ...] | None = None, **changes: Any) -> Recipe:
    """A face swap's recipe."""
    values: dict[str, Any] = {
        "title": "release 00112233aabbccdd",
        "mime": MIMES[form],
        "origin": "compositeWithTrainedAlgorithmicMedia",
        "engine": "face.mesh",
        "engine_version": "1.0",
        "when": "2026-11-21T10:00:00+00:00",
        "ingredients": (
            Ingredient("target", "image/jpeg", TARGET, "parentOf"),
            Ingredient("source", "image/png", SOURCE, "componentOf"),
        )
        if ingredients is None
        else ingredients,
        "evidence": EVIDENCE,
    }
    return Recipe(**(values | changes))


SIGNED = {form: sign(FILES[form], recipe(form), LEAF_KEY, LEAF + ROOT) for form in FILES}


def manifest(data: bytes, form: str = "png") -> dict[str, Any]:
    """The active manifest as the library shows it."""
    import c2pa

    with c2pa.Reader(MIMES[form], io.BytesIO(data)) as reader:
        report = json.loads(reader.json())
    active: dict[str, Any] = report["manifests"][report["active_manifest"]]
    return active


def with_store(data: bytes, store: bytes) -> bytes:
    """A PNG with its manifest store replaced."""
    at = data.index(b"caBX")
    length = int.from_bytes(data[at - 4 : at], "big")
    return data[: at - 4] + png_chunk(b"caBX", store) + data[at + 8 + length :]


# --- refusals --------------------------------------------------------------------------------------------------------


def test_without_the_library_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing or broken library stops the release; reading says that it could not check."""
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(LabelPartMissing) as caught:
        sign(FILES["png"], recipe(), LEAF_KEY, LEAF + ROOT)
    assert caught.value.data == {"part": "c2pa"}
    reading = read_credential(SIGNED["png"], "image/png", [ROOT])
    assert (reading.state, reading.trust) == ("unchecked", "none")


def test_a_native_part_that_fails_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the loader raises."""
    import c2pa

    def fail() -> str:
        raise OSError("libc2pa_c.so: cannot open")

    monkeypatch.setattr(c2pa, "sdk_version", fail)
    with pytest.raises(LabelPartMissing):
        sign(FILES["png"], recipe(), LEAF_KEY, LEAF + ROOT)


@pytest.mark.parametrize("data", [b"", b"junk", FILES["png"][:200]])
def test_a_broken_file_is_not_signed(data: bytes) -> None:
    """The library's refusal becomes ours."""
    with pytest.raises(LabelTooWeak) as caught:
        sign(data, recipe(), LEAF_KEY, LEAF + ROOT)
    assert caught.value.data["layer"] == "credential"


def test_a_key_that_is_not_the_certificate_s_makes_no_credential() -> None:
    """A signature by another key is refused while signing or found broken when read."""
    try:
        data = sign(FILES["png"], recipe(), OTHER_LEAF_KEY, LEAF + ROOT)
    except LabelTooWeak:
        return
    assert read_credential(data, "image/png", [ROOT]).state == "damaged"


@pytest.mark.parametrize("form", ["png", "jpeg"])
@pytest.mark.parametrize("place", [0.3, 0.6, 0.97])
def test_one_flipped_byte_is_damage(form: str, place: float) -> None:
    """In pixels anywhere."""
    changed = bytearray(SIGNED[form])
    start = changed.index(b"IDAT") if form == "png" else changed.index(b"\xff\xda")
    changed[start + 8 + int((len(changed) - start - 20) * place)] ^= 1
    reading = read_credential(bytes(changed), MIMES[form], [ROOT])
    assert (reading.state, reading.trust) == ("damaged", "invalid")
    assert "assertion.dataHash.mismatch" in reading.codes


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_saving_again_loses_the_credential(form: str) -> None:
    """What Pillow writes has none."""
    target = io.BytesIO()
    Image.open(io.BytesIO(SIGNED[form])).save(target, form.upper())
    reading = read_credential(target.getvalue(), MIMES[form], [ROOT])
    assert (reading.state, reading.trust, reading.evidence) == ("absent", "none", None)


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_changed_metadata_is_damage(form: str) -> None:
    """Another XMP packet after signing, of the same length even, is found."""
    changed = SIGNED[form].replace(b"adobe:ns:meta/", b"adobe:ns:beta/")
    assert changed != SIGNED[form]
    assert read_credential(changed, MIMES[form], [ROOT]).state == "damaged"


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_appended_bytes_are_damage(form: str) -> None:
    """A file glued to the end."""
    assert read_credential(SIGNED[form] + b"PK", MIMES[form], [ROOT]).state == "damaged"


def test_a_credential_moved_to_another_picture_is_damage() -> None:
    """It belongs to its own pixels."""
    moved = with_png_chunk(png_bytes(noise(50, 50)), b"caBX", manifest_store(SIGNED["png"]))
    assert read_credential(moved, "image/png", [ROOT]).state == "damaged"


@pytest.mark.parametrize("store", [b"garbage" * 9, b"\0\0\0\x20jumb\0\0\0\x18jumdc2pa", b"\xff" * 300])
def test_foreign_manifests_never_raise(store: bytes) -> None:
    """Unreadable is damage, not absence."""
    reading = read_credential(with_png_chunk(FILES["png"], b"caBX", store), "image/png", [ROOT])
    assert reading.state == "damaged"


def test_a_manifest_that_the_library_skips_is_damage() -> None:
    """A box in APP11 that only looks like C2PA counts as a broken credential, not as none."""
    box = b"JP\0\1\0\0\0\1\0\0\0\x20jumb\0\0\0\x18jumdc2pa"
    reading = read_credential(with_jpeg_segment(FILES["jpeg"], 0xEB, box), "image/jpeg", [ROOT])
    assert (reading.state, reading.trust) == ("damaged", "invalid")


@pytest.mark.parametrize("data", [b"", b"junk", SIGNED["png"][:3000], SIGNED["jpeg"][:300]])
def test_broken_files_never_raise(data: bytes) -> None:
    """Reading answers for anything."""
    assert read_credential(data, "image/png", [ROOT, b"no certificate"]).state in ("damaged", "absent")


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1), value=st.integers(1, 255))
def test_a_changed_store_is_never_more_than_what_was_signed(place: float, value: int) -> None:
    """A byte changed in the credential itself never raises, and never alters what a trusted reading says."""
    store = bytearray(manifest_store(SIGNED["png"]))
    store[int(place * (len(store) - 1))] ^= value
    reading = read_credential(with_store(SIGNED["png"], bytes(store)), "image/png", [ROOT])
    if reading.trust == "trusted":
        whole = read_credential(SIGNED["png"], "image/png", [ROOT])
        assert (reading.evidence, reading.actions, reading.origin) == (whole.evidence, whole.actions, whole.origin)


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_the_filling_behind_the_signature_hides_nothing(form: str) -> None:
    """Ten thousand bytes that no hash covers must be zeros."""
    at = SIGNED[form].rindex(b"\x63pad\x59") + 2000
    changed = SIGNED[form][:at] + b"hidden" + SIGNED[form][at + 6 :]
    reading = read_credential(changed, MIMES[form], [ROOT])
    assert reading.state == "damaged"
    if form == "png":  # The chunk's own checksum breaks first; with it mended the filling is looked at.
        store = bytearray(manifest_store(SIGNED[form]))
        store[store.rindex(b"\x63pad\x59") + 2000] = 1
        reading = read_credential(with_store(SIGNED[form], bytes(store)), MIMES[form], [ROOT])
    assert "filling" in reading.reasons[0]


def test_a_credential_elsewhere_is_not_fetched() -> None:
    """A picture that points to a server is unchecked, and nobody knocks at that server; the same for an ingredient."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        packet = (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" '
            f'dcterms:provenance="http://127.0.0.1:{server.getsockname()[1]}/a.c2pa"/></rdf:RDF></x:xmpmeta>'
        )
        data = encode_picture(scene(60, 40), "png", packet.encode())
        assert read_credential(data, "image/png", [ROOT]).state == "unchecked"
        parents = (Ingredient("t", "image/png", data, "parentOf"),)
        signed = sign(FILES["png"], recipe(ingredients=parents), LEAF_KEY, LEAF + ROOT)
        assert read_credential(signed, "image/png", [ROOT]).state == "intact"
        with pytest.raises(BlockingIOError):
            server.accept()


# --- what holds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_a_signed_file_reads_back_trusted(form: str) -> None:
    """State, actions in order, source type, signer and our own assertion."""
    reading = read_credential(SIGNED[form], MIMES[form], [ROOT])
    assert (reading.state, reading.trust, reading.codes, reading.reasons) == ("intact", "trusted", (), ())
    assert reading.actions == ("c2pa.opened", "c2pa.placed", "c2pa.edited", "c2pa.addedText")
    assert reading.origin == "compositeWithTrainedAlgorithmicMedia"
    assert reading.issuer == "Signet of a test"
    assert reading.evidence == {
        **EVIDENCE,
        "assurance": "self",
        "engine": "face.mesh",
    }


@pytest.mark.parametrize("roots", [[], [OTHER_ROOT], [b"no certificate"]])
def test_without_our_root_the_signer_is_unknown(roots: list[bytes]) -> None:
    """The file is whole, but nobody here vouches for the signer."""
    reading = read_credential(SIGNED["png"], "image/png", roots)
    assert (reading.state, reading.trust) == ("intact", "unknown signer")
    assert reading.codes == ("signingCredential.untrusted",)


def test_any_of_several_roots_will_do() -> None:
    """Two homes, one reader."""
    assert read_credential(SIGNED["png"], "image/png", [OTHER_ROOT, ROOT]).trust == "trusted"
    assert ROOT_KEY != OTHER_KEY


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_signing_leaves_picture_and_metadata_alone(form: str) -> None:
    """Payload digest, XMP packet and size are those of the unsigned file."""
    before, after = read_container("p", FILES[form]), read_container("p", SIGNED[form])
    assert (before.has_manifest, after.has_manifest) == (False, True)
    assert (before.payload_sha256, before.xmp, before.width) == (after.payload_sha256, after.xmp, after.width)
    assert after.trailing_bytes == 0


def test_the_edit_names_source_type_engine_and_time() -> None:
    """What C2PA 2.2 asks of an edit by a model; and no training on the result."""
    active = manifest(SIGNED["png"])
    assertions = {item["label"]: item["data"] for item in active["assertions"]}
    edited = next(item for item in assertions["c2pa.actions.v2"]["actions"] if item["action"] == "c2pa.edited")
    assert edited["digitalSourceType"].startswith("http://cv.iptc.org/newscodes/digitalsourcetype/composite")
    assert edited["softwareAgent"]["name"] == "Signet"
    assert edited["parameters"]["org.signet.engine"] == "face.mesh"
    assert datetime.fromisoformat(edited["when"]) == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert {entry["use"] for entry in assertions["cawg.training-mining"]["entries"].values()} == {"notAllowed"}


def test_titles_are_the_recipe_s_own_and_no_thumbnail_is_made() -> None:
    """Nothing but the given titles names the ingredients; their pixels are not in the file."""
    active = manifest(SIGNED["png"])
    assert [item["title"] for item in active["ingredients"]] == ["target", "source"]
    assert [item["relationship"] for item in active["ingredients"]] == ["parentOf", "componentOf"]
    assert "thumbnail" not in json.dumps(active)
    assert len(SIGNED["png"]) - len(FILES["png"]) < 20_000


def test_without_a_parent_the_work_was_created() -> None:
    """A generated picture starts with c2pa.created and its source type."""
    data = sign(FILES["png"], recipe(ingredients=(), origin="trainedAlgorithmicMedia"), LEAF_KEY, LEAF + ROOT)
    reading = read_credential(data, "image/png", [ROOT])
    assert (reading.state, reading.actions) == ("intact", ("c2pa.created", "c2pa.addedText"))
    assert reading.origin == "trainedAlgorithmicMedia"


def test_an_ingredient_s_own_history_is_kept() -> None:
    """A target that carries a credential, ours or foreign, brings it along."""
    foreign = sign(FILES["png"], recipe(ingredients=()), OTHER_LEAF_KEY, OTHER_LEAF + OTHER_ROOT)
    parents = (
        Ingredient("target", "image/png", foreign, "parentOf"),
        Ingredient("source", "image/jpeg", SIGNED["jpeg"], "componentOf"),
    )
    data = sign(FILES["png"], recipe(ingredients=parents), LEAF_KEY, LEAF + ROOT)
    reading = read_credential(data, "image/png", [ROOT])
    assert (reading.state, reading.trust, reading.issuer) == ("intact", "trusted", "Signet of a test")
    assert all("active_manifest" in item for item in manifest(data)["ingredients"])


def test_a_long_chain_in_a_jpeg_is_put_together() -> None:
    """Stores of more than one segment (64 KiB) are read as a whole."""
    data = SIGNED["jpeg"]
    for _ in range(5):
        again = recipe("jpeg", (Ingredient("target", "image/jpeg", data, "parentOf"),))
        data = sign(FILES["jpeg"], again, LEAF_KEY, LEAF + ROOT)
    store = manifest_store(data)
    assert len(store) > 65536
    assert int.from_bytes(store[:4], "big") == len(store)
    assert read_credential(data, "image/jpeg", [ROOT]).trust == "trusted"


@pytest.mark.parametrize("data", [b"", b"junk", with_png_chunk(SOURCE, b"caBX", b"garbage" * 9), SIGNED["png"][:3000]])
def test_an_ingredient_that_cannot_be_read_is_named_all_the_same(data: bytes) -> None:
    """A broken history is left out; the ingredient, its part in the work and the release stay."""
    parents = (
        Ingredient("target", "image/png", data, "parentOf"),
        Ingredient("source", "image/png", SOURCE, "componentOf"),
    )
    signed = sign(FILES["png"], recipe(ingredients=parents), LEAF_KEY, LEAF + ROOT)
    assert read_credential(signed, "image/png", [ROOT]).trust == "trusted"
    assert {item["title"]: item["relationship"] for item in manifest(signed)["ingredients"]} == {
        "target": "parentOf",
        "source": "componentOf",
    }


def test_a_damaged_history_does_not_damage_the_release() -> None:
    """The ingredient is marked, the new file is whole."""
    broken = bytearray(SIGNED["jpeg"])
    broken[-300] ^= 1
    signed = sign(
        FILES["png"],
        recipe(ingredients=(Ingredient("target", "image/jpeg", bytes(broken), "parentOf"),)),
        LEAF_KEY,
        LEAF,
    )
    assert read_credential(signed, "image/png", [ROOT]).state == "intact"


def test_certificates_are_what_readers_ask_for() -> None:
    """P-256, path length 0, one year, claim signing; the leaf never outlives its root."""
    root, leaf = x509.load_pem_x509_certificate(ROOT), x509.load_pem_x509_certificate(LEAF)
    leaf.verify_directly_issued_by(root)
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usages = {usage.dotted_string for usage in leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value}
    assert usages == {"1.3.6.1.5.5.7.3.4", "1.3.6.1.4.1.62558.2.1"}
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc < timedelta(days=366)
    assert leaf.not_valid_after_utc <= root.not_valid_after_utc
    assert credential.ROOT_DAYS == 3650
