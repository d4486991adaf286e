"""Every origin an engine may name is labelled as AI content, in the packet and in the credential."""

from __future__ import annotations

from typing import get_args

import pytest

from compliance.containers import read_container
from compliance.encode import encode_picture
from compliance.labels import aigc, credential
from compliance.labels.policy import LabelPlan
from compliance.media import Origin
from tests.compliance.labels.pictures import scene
from tests.compliance.labels.test_credential import LEAF, LEAF_KEY, ROOT, recipe


@pytest.mark.parametrize("origin", ["digitalCapture", "humanEdits", "digitalArt", "", "algorithmic"])
def test_what_is_not_ai_content_has_no_packet(origin: str) -> None:
    """A release cannot be passed off as a photograph or as drawn by hand."""
    field = aigc.AigcField(content_producer="p", produce_id="1", content_propagator="p", propagate_id="1")
    with pytest.raises(ValueError, match="source type"):
        aigc.xmp_packet(field, origin=origin, system="Signet", version="1")


def test_every_origin_is_a_code_of_ai_content() -> None:
    """The list of the types and the list of the labels are one."""
    assert frozenset(get_args(Origin)) == aigc.AI_CODES


@pytest.mark.parametrize("origin", get_args(Origin))
def test_every_origin_is_written_and_read(origin: Origin) -> None:
    """The field, the source type and the credential say it and hold."""
    plan = LabelPlan("00112233aabbccdd", "png", "signet.local/000000000000", origin, False, "1")
    data = encode_picture(scene(120, 90), "png", plan.packet())
    signed = credential.sign(data, recipe(ingredients=(), origin=origin), LEAF_KEY, LEAF + ROOT)
    reading = credential.read_credential(signed, "image/png", [ROOT])
    assert (reading.state, reading.origin) == ("intact", origin)
    assert aigc.read_iptc(read_container("a.png", signed)).uris == (aigc.SOURCE_TYPE + origin,)
