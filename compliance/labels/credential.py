"""The signed credential (C2PA 2.2): who made this file, from what, with which engine; put in last and read back.

Everything that talks to the c2pa library is here. It never fetches anything: no remote manifests, no OCSP, no time
stamps. Without its own time stamp a credential shows as expired to others once the leaf certificate has run out; the
ledger keeps the time.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal
from uuid import uuid4

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from compliance.errors import LabelPartMissing, LabelTooWeak
from compliance.labels.aigc import SOURCE_TYPE
from compliance.labels.jumbf import frame_is_ours
from compliance.reading import manifest_of

SIGNET_ASSERTION: Final = "org.signet.release"
CLAIM_GENERATOR: Final = "Signet"
ROOT_DAYS: Final = 3650
LEAF_DAYS: Final = 365

_CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
# Clocks of two machines may differ; a certificate is valid from a little before it was made.
_BACKDATED = timedelta(minutes=10)
# CBOR: the text "pad", then a byte string with a length of two bytes.
_COSE_PAD = b"\x63pad\x59"
_EXPIRED, _UNTRUSTED = "signingCredential.expired", "signingCredential.untrusted"
_NO_TRAINING = ("cawg.data_mining", "cawg.ai_inference", "cawg.ai_training", "cawg.ai_generative_training")
# Formats for which C2PA names no place inside the file.
_NEVER_INSIDE = frozenset({"audio/ogg", "video/x-matroska", "video/webm"})
_OFFLINE: Final[dict[str, Any]] = {
    "version": 1,
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
    "core": {"allowed_network_hosts": []},
    "builder": {"thumbnail": {"enabled": False}},
}

Relationship = Literal["parentOf", "componentOf"]
Trust = Literal["trusted", "unknown signer", "expired signer", "invalid", "none"]


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One picture that went into a release; title: what is shown of it (never a file name), data: its encoded bytes."""

    title: str
    mime: str
    data: bytes
    relationship: Relationship


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a credential says. origin: an IPTC source type code. when: ISO 8601 with zone. evidence: JSON values that go
    into our own assertion. assurance: "self", "workstation" or "studio".
    """

    title: str
    mime: str
    origin: str
    engine: str
    engine_version: str
    when: str
    ingredients: tuple[Ingredient, ...]
    evidence: Mapping[str, Any]
    assurance: str = "self"


@dataclass(frozen=True, slots=True)
class CredentialReading:
    """What a file's credential says. codes: C2PA status codes of failures and of missing trust; issuer: of the signer;
    evidence: our own assertion, None when there is none; origin: source type code of the last action that has one.
    """

    state: Literal["intact", "damaged", "absent", "unchecked"]
    trust: Trust
    codes: tuple[str, ...]
    issuer: str
    actions: tuple[str, ...]
    evidence: dict[str, Any] | None
    origin: str
    reasons: tuple[str, ...]


# --- certificates ----------------------------------------------------------------------------------------------------


def make_root(common_name: str) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """Make the installation's own root: an EC P-256 key and its certificate (PEM), ten years, path length 0."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(common_name)
    builder = (
        _builder(name, name, key.public_key(), ROOT_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return key, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def make_leaf(
    root_key: ec.EllipticCurvePrivateKey, root_pem: bytes, common_name: str
) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """Make a signing key under a root and its certificate (PEM, the leaf alone), 365 days but not beyond the root.

    Usage: e-mail protection (what older readers ask for) and C2PA claim signing (C2PA 2.2 §14.5.1).
    """
    key = ec.generate_private_key(ec.SECP256R1())
    root = x509.load_pem_x509_certificate(root_pem)
    builder = (
        _builder(root.subject, _name(common_name), key.public_key(), LEAF_DAYS, root.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION, _CLAIM_SIGNING]),
            critical=False,
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return key, builder.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, CLAIM_GENERATOR),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePublicKey, days: int, limit: datetime | None = None
) -> x509.CertificateBuilder:
    now = datetime.now(UTC).replace(microsecond=0)
    end = now + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(end if limit is None else min(end, limit))
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


# --- signing ---------------------------------------------------------------------------------------------------------


def _library() -> Any:
    """The c2pa module; raises LabelPartMissing(part="c2pa") when it or its native part does not load."""
    try:
        import c2pa

        c2pa.sdk_version()
    except Exception as error:  # A broken native part raises whatever ctypes or the loader happen to raise.
        raise LabelPartMissing(part="c2pa") from error
    return c2pa


def sign(data: bytes, recipe: Recipe, leaf_key: ec.EllipticCurvePrivateKey, chain_pem: bytes) -> bytes:
    """Put a signed credential into a finished file and return the new bytes.

    data: a file with all its other metadata in place (a later change breaks the credential). chain_pem: leaf first,
    then the root. The key stays in this process: the library gets signatures only.
    Raises LabelPartMissing without the library, LabelTooWeak when it refuses to sign.
    """
    return _sign(data, recipe, leaf_key, chain_pem, is_beside=False)


def sign_beside(data: bytes, recipe: Recipe, leaf_key: ec.EllipticCurvePrivateKey, chain_pem: bytes) -> bytes:
    """Sign a finished file whose format cannot hold a credential: the manifest store for a file beside it.

    Arguments and errors as in `sign`; the bytes of the file are bound and stay as they are.
    """
    return _sign(data, recipe, leaf_key, chain_pem, is_beside=True)


def _sign(
    data: bytes, recipe: Recipe, leaf_key: ec.EllipticCurvePrivateKey, chain_pem: bytes, *, is_beside: bool
) -> bytes:
    c2pa = _library()

    def signature(message: bytes) -> bytes:
        r, s = decode_dss_signature(leaf_key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    target = io.BytesIO()
    try:
        with (
            c2pa.Context.from_dict(_OFFLINE) as context,
            c2pa.Signer.from_callback(signature, c2pa.C2paSigningAlg.ES256, chain_pem.decode()) as signer,
            _builder_of(c2pa, context, recipe, frozenset()) as builder,
        ):
            if is_beside:
                builder.set_no_embed()
            store = bytes(builder.sign(signer, recipe.mime, io.BytesIO(data), target))
    except (c2pa.C2paError, UnsupportedAlgorithm, UnicodeDecodeError) as error:
        raise LabelTooWeak(layer="credential", reason="the signing library refused the file") from error
    return store if is_beside else target.getvalue()


def _builder_of(c2pa: Any, context: Any, recipe: Recipe, described_only: frozenset[int]) -> Any:
    """The library's builder with manifest and ingredients.

    An ingredient whose own manifest cannot be read (damaged, or kept on the network) is described by its title alone;
    an ingredient with a readable manifest brings its history along.
    """
    definition = _manifest(recipe)
    described = [
        {
            "title": item.title,
            "format": item.mime,
            "relationship": item.relationship,
            "label": _ingredient_label(index),
            "instance_id": f"xmp:iid:{uuid4()}",
        }
        for index, item in enumerate(recipe.ingredients)
    ]
    definition["ingredients"] = [described[index] for index in sorted(described_only)]
    builder = c2pa.Builder(definition, context=context)
    for index, item in enumerate(recipe.ingredients):
        if index in described_only:
            continue
        try:
            builder.add_ingredient(described[index], item.mime, io.BytesIO(item.data))
        except c2pa.C2paError:
            builder.close()
            return _builder_of(c2pa, context, recipe, described_only | {index})
    return builder


def _own_version() -> str:
    """The version of this program as installed."""
    try:
        return version("signet-studio")
    except PackageNotFoundError:
        return "0"


def _ingredient_label(index: int) -> str:
    """The name under which actions point to an ingredient."""
    return f"ingredient-{index + 1}"


def _manifest(recipe: Recipe) -> dict[str, Any]:
    """The manifest definition of a recipe; the actions come in the order in which things happened."""
    agent = {"name": CLAIM_GENERATOR, "version": _own_version()}
    engine = {"org.signet.engine": recipe.engine, "org.signet.engine_version": recipe.engine_version}
    source_type = SOURCE_TYPE + recipe.origin
    parents = [index for index, item in enumerate(recipe.ingredients) if item.relationship == "parentOf"]
    parts = [index for index, item in enumerate(recipe.ingredients) if item.relationship == "componentOf"]
    actions: list[dict[str, Any]] = []

    def act(action: str, parameters: dict[str, Any], *, of: Sequence[int] = (), made: bool = False) -> None:
        entry: dict[str, Any] = {"action": action, "when": recipe.when, "softwareAgent": agent}
        if made:
            entry["digitalSourceType"] = source_type
        if of:
            parameters = {**parameters, "ingredientIds": [_ingredient_label(index) for index in of]}
        if parameters:
            entry["parameters"] = parameters
        actions.append(entry)

    if parents:
        act("c2pa.opened", {}, of=parents[:1])
        if parts:
            act("c2pa.placed", {}, of=parts)
        act("c2pa.edited", engine, made=True)
    else:
        act("c2pa.created", engine, made=True)
        if parts:
            act("c2pa.placed", {}, of=parts)
    if recipe.mime.startswith("audio/"):
        # The spoken notice is put in like any other piece of sound; C2PA knows no action of its own for it.
        act("c2pa.edited", {"org.signet.notice": "spoken notice and rhythm at start and end"})
    else:
        act("c2pa.addedText", {"org.signet.text": "AI生成 · AI-generated"})
    return {
        "claim_generator_info": [agent],
        "title": recipe.title,
        "format": recipe.mime,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {
                "label": "cawg.training-mining",
                "data": {"entries": {entry: {"use": "notAllowed"} for entry in _NO_TRAINING}},
            },
            {
                "label": SIGNET_ASSERTION,
                "data": {**recipe.evidence, "assurance": recipe.assurance, "engine": recipe.engine},
            },
        ],
    }


# --- reading ---------------------------------------------------------------------------------------------------------


def read_credential(data: bytes, mime: str, roots: Sequence[bytes], beside: bytes | None = None) -> CredentialReading:
    """Read and check a file's credential against some root certificates (PEM each); never raises.

    beside: the manifest store of a file that stands beside this one. state: "intact" when the signature and every hash
    hold, whoever signed; trust says whether one of the roots stands behind the signer. Without the library the state is
    "unchecked".
    """
    if beside is None and mime in _NEVER_INSIDE:
        return _reading("absent", "none", "the file has no credential")
    try:
        c2pa = _library()
    except LabelPartMissing:
        return _reading("unchecked", "none", "the library that reads credentials did not load")
    anchors = "".join(root.decode() for root in roots if _is_certificate(root))
    settings = {**_OFFLINE, "trust": {"user_anchors": anchors}} if anchors else _OFFLINE
    try:
        with c2pa.Context.from_dict(settings) as context:
            if beside is None:
                reader = c2pa.Reader.try_create(mime, io.BytesIO(data), context=context)
            else:
                reader = c2pa.Reader(mime, io.BytesIO(data), manifest_data=beside, context=context)
            if reader is None:
                # The library skips a manifest whose outermost box it does not know; there is one all the same.
                if manifest_of(data):
                    return _reading("damaged", "invalid", "the credential cannot be read")
                return _reading("absent", "none", "the file has no credential")
            with reader:
                report = json.loads(reader.json())
        return _judge(report, manifest_of(data) if beside is None else beside)
    except Exception as error:  # A foreign manifest may break the library or our reading in any way; that is damage.
        if str(error).startswith("Remote"):
            return _reading("unchecked", "none", "the credential lies elsewhere on the network and was not fetched")
        if beside is None and not manifest_of(data) and b"jumb" not in data:
            return _reading("absent", "none", "the file has no credential")  # the file is broken, not a credential
        return _reading("damaged", "invalid", "the credential cannot be read")


def _is_certificate(pem: bytes) -> bool:
    """False for bytes that the library would stumble over instead of ignoring them."""
    try:
        x509.load_pem_x509_certificate(pem)
    except ValueError:
        return False
    return True


def _filling_fault(store: bytes) -> str:
    """A sentence when something stands where the signature is filled up with zeros (the COSE header "pad"), else "".

    No hash and no signature covers these ten thousand bytes, so the library would let them hold anything. The active
    manifest is the last of the store; those before it are hashed whole by the manifests that follow.
    """
    if not store:
        return "the part of the file that holds the credential is damaged"
    position = store.rfind(_COSE_PAD)
    if position < 0:
        return ""  # nothing is filled up, or under another name: frame_is_ours looks closer where it is ours
    start = position + len(_COSE_PAD) + 2
    end = start + int.from_bytes(store[start - 2 : start], "big")
    return "" if store.count(0, start, end) == end - start else "the filling behind the signature was changed"


def _reading(state: Literal["damaged", "absent", "unchecked"], trust: Trust, reason: str) -> CredentialReading:
    return CredentialReading(state, trust, (), "", (), None, "", (reason,))


def _judge(report: dict[str, Any], store: bytes) -> CredentialReading:
    """Turn the library's report into our words, and add what the library reads over in the bytes of the store."""
    manifest = report["manifests"][report["active_manifest"]]
    codes = tuple(dict.fromkeys(str(status.get("code", "")) for status in report.get("validation_status") or ()))
    actions: list[str] = []
    origin = ""
    evidence: dict[str, Any] | None = None
    for assertion in manifest.get("assertions") or ():
        label, content = str(assertion.get("label", "")), assertion.get("data")
        if not isinstance(content, dict):
            continue
        if label.startswith("c2pa.actions"):
            for action in content.get("actions") or ():
                actions.append(str(action.get("action", "")))
                kind = str(action.get("digitalSourceType", ""))
                if kind:
                    origin = kind.rpartition("/")[2]
        elif label == SIGNET_ASSERTION:
            evidence = content
    signature = manifest.get("signature_info") or {}
    issuer = str(signature.get("common_name") or signature.get("issuer") or "")
    reasons: tuple[str, ...] = ()
    state: Literal["intact", "damaged"] = "intact"
    trust: Trust
    match report.get("validation_state"):
        case "Trusted":
            trust = "trusted"
        case "Valid":
            trust = "unknown signer"
            reasons = ("the credential holds, but its signer is not known here",)
        case _ if _EXPIRED in codes and set(codes) <= {_EXPIRED, _UNTRUSTED}:
            # Every hash and the signature hold; time alone has passed, or this machine's clock is far off.
            trust = "expired signer"
            reasons = ("the credential holds, but today lies outside the time of its signer's certificate",)
        case _:
            trust, state = "invalid", "damaged"
            reasons = (_reason(codes),)
    fault = _filling_fault(store)
    if evidence is not None and not frame_is_ours(store):
        fault = fault or "the frame of the credential was changed"
    if fault and state == "intact":
        trust, state, reasons = "invalid", "damaged", (fault,)
    return CredentialReading(state, trust, codes, issuer, tuple(actions), evidence, origin, reasons)


def _reason(codes: tuple[str, ...]) -> str:
    """One sentence on what broke, from C2PA 2.2 §15.2 status codes."""
    for part, sentence in (
        ("dataHash", "the file was changed after it was signed"),
        ("hashedURI", "a part of the credential was changed after it was signed"),
        ("claimSignature", "the signature of the credential does not hold"),
        ("expired", "the signer's certificate has run out"),
        ("signingCredential", "the signer's certificate is not valid"),
    ):
        if any(part in code for code in codes):
            return sentence
    return "the credential does not hold"
