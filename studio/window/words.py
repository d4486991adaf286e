"""Words that several pages use: purposes, states, roles, kinds of cases."""

from __future__ import annotations

from studio.text import _

PURPOSES = ("private", "film", "advertising", "education", "research", "satire")


def purpose_word(purpose: str) -> str:
    """A purpose in the reader's language."""
    return {
        "private": _("private use"),
        "film": _("film and series"),
        "advertising": _("advertising"),
        "education": _("education"),
        "research": _("research"),
        "satire": _("satire"),
    }.get(purpose, purpose)


def purposes_text(purposes: tuple[str, ...]) -> str:
    """Several purposes in one line."""
    return _(", ").join(purpose_word(purpose) for purpose in purposes)


def grant_state(state: str) -> tuple[str, str]:
    """A consent's state: its word and its chip kind."""
    return {
        "live": (_("live"), "ok"),
        "not yet": (_("not yet valid"), "plain"),
        "expired": (_("expired"), "warn"),
        "superseded": (_("replaced"), "plain"),
        "refused": (_("evidence refused"), "danger"),
        "withdrawn": (_("withdrawn"), "danger"),
    }.get(state, (state, "plain"))


def release_state(state: str) -> tuple[str, str]:
    """A release's state: its word and its chip kind."""
    return {
        "released": (_("released"), "ok"),
        "sealed": (_("unfinished"), "warn"),
        "intended": (_("unfinished"), "warn"),
        "rolled_back": (_("rolled back"), "plain"),
    }.get(state, (state, "plain"))


def review_category(category: str) -> str:
    """What a phrase of the review is about."""
    return {
        "minors": _("harm to children"),
        "nonconsensual-sexual": _("intimate pictures without consent"),
        "fraud": _("fraud"),
        "threat": _("threat"),
        "weapons": _("weapons and explosives"),
        "self-harm": _("self-harm"),
    }.get(category, category)


def review_outcome(severity: str) -> str:
    """What follows when a phrase of the review is found."""
    return {"stop": _("is stopped"), "case": _("asks a reviewer"), "pass": _("is let through")}.get(severity, severity)


def role_word(role: str) -> str:
    """A role of an account."""
    return {
        "creator": _("creator"),
        "consent_officer": _("consent officer"),
        "reviewer": _("reviewer"),
        "auditor": _("auditor"),
        "admin": _("admin"),
    }.get(role, role)


def level_word(level: str) -> str:
    """How an identity is proven."""
    return {
        "none": _("not proven"),
        "self": _("own declaration"),
        "L1": _("seen in person by two people"),
        "L2": _("the studio's identity provider"),
        "L3": _("national network identity"),
    }.get(level, level)


def evidence_word(level: str) -> tuple[str, str]:
    """How strongly the evidence of a consent speaks: its word and its chip kind."""
    return {
        "live": (_("recorded live"), "ok"),
        "file+second": (_("file, approved by a second person"), "ok"),
        "file+subject": (_("file, confirmed by the person"), "ok"),
        "operator": (_("the operator's word"), "warn"),
    }.get(level, (level, "plain"))


FORBIDDEN = ("political", "sexual", "endorsement", "testimony", "minors")


def use_word(use: str) -> str:
    """A use that a person forbids or allows."""
    return {
        "political": _("political statements"),
        "sexual": _("sexual content"),
        "endorsement": _("endorsing goods or services"),
        "testimony": _("testimony, news, statements of fact"),
        "minors": _("content for or with minors"),
    }.get(use, use)


AGES = ("adult", "14-17", "under 14")


def age_word(age: str) -> str:
    """An age class."""
    return {"adult": _("18 or older"), "14-17": _("14 to 17"), "under 14": _("under 14")}.get(age, _("not stated"))


def case_kind(kind: str) -> str:
    """What a case is about."""
    return {
        "review": _("review"),
        "appeal": _("appeal"),
        "complaint": _("complaint"),
        "refutation": _("rumour"),
    }.get(kind, kind)


def case_state(state: str, overdue: bool = False) -> tuple[str, str]:
    """Where a case stands: its word and its chip kind."""
    if overdue:
        return _("overdue"), "danger"
    return {
        "open": (_("open"), "warn"),
        "assigned": (_("assigned"), "warn"),
        "decided": (_("decided"), "ok"),
        "appealed": (_("appealed"), "warn"),
        "closed": (_("closed"), "plain"),
    }.get(state, (state, "plain"))


def decision_word(decision: str) -> str:
    """How a case was decided."""
    return {"upheld": _("upheld"), "dismissed": _("dismissed")}.get(decision, decision)


MEASURES = ("warn", "limit", "suspend", "close")


def measure_word(measure: str) -> str:
    """What is done to an account."""
    return {
        "warn": _("warning"),
        "limit": _("limit on releases"),
        "suspend": _("suspension"),
        "close": _("closing the account"),
    }.get(measure, measure)


REASONS = (
    "unlawful content",
    "no consent",
    "label tampering",
    "false information",
    "false identity",
    "other",
)


def reason_word(reason: str) -> str:
    """Why a measure is taken."""
    return {
        "unlawful content": _("unlawful content"),
        "no consent": _("no consent"),
        "label tampering": _("label tampering"),
        "false information": _("false information"),
        "false identity": _("false identity"),
        "other": _("other"),
    }.get(reason, reason)


def proposal_word(kind: str) -> str:
    """What waits for a second person."""
    return {
        "grant_role": _("give a role"),
        "revoke_role": _("take a role away"),
        "identity": _("proof of identity in person"),
        "rebind": _("new password for an account"),
    }.get(kind, kind)


DOCUMENTS = ("resident_card", "passport", "residence_permit", "business_licence", "other_official")


def document_word(document: str) -> str:
    """A kind of document."""
    return {
        "resident_card": _("resident identity card"),
        "passport": _("passport"),
        "residence_permit": _("residence permit"),
        "business_licence": _("business licence"),
        "other_official": _("other official document"),
    }.get(document, document)


def option_word(name: str) -> str:
    """The short name of an engine's setting."""
    return {
        "width": _("Width"),
        "height": _("Height"),
        "steps": _("Steps"),
        "guidance": _("Guidance"),
        "scheduler": _("Scheduler"),
        "strength": _("Change"),
        "lora": _("LoRA"),
        "lora_weight": _("LoRA weight"),
        "pack": _("Model pack"),
        "preview_every": _("Preview every ... steps"),
        "attention": _("Attention"),
        "background": _("Colour behind"),
        "memory": _("Memory"),
        "device": _("Device"),
        "dtype": _("Numbers"),
        "denoise": _("Denoise"),
        "method": _("Method"),
        "scale": _("Enlarge"),
        "sharpness": _("Sharpness"),
        "contrast": _("Contrast"),
        "fade": _("Faded colours"),
        "sensitivity": _("Sensitivity"),
        "radius": _("Radius"),
        "result": _("Result"),
    }.get(name, name)


def choice_word(option: str, choice: object) -> str:
    """One value of a setting; names of methods stay as they are."""
    if option == "scale":
        return f"×{choice}"
    return {
        "": _("none"),
        "auto": _("automatic"),
        "plain": _("plain"),
        "as the model": _("as the model"),
        "whole": _("all at once"),
        "sliced": _("in slices"),
        "offloaded": _("partly set aside"),
        "sequential": _("piece by piece"),
        "picture": _("the picture"),
        "mask": _("the mask in red"),
        "nlm": _("for photographs"),
        "tv": _("for drawings"),
    }.get(str(choice), str(choice))


def licence_word(licence_class: str) -> tuple[str, str]:
    """What a pack's licence allows: its word and its chip kind."""
    return {
        "open": (_("open licence"), "ok"),
        "responsible-use": (_("licence with rules of use"), "warn"),
        "non-commercial": (_("not for business"), "warn"),
        "research-only": (_("for research only"), "danger"),
        "unknown": (_("licence unknown"), "danger"),
    }.get(licence_class, (licence_class, "plain"))


def engine_word(engine: str) -> str:
    """What an engine is, said honestly."""
    return {
        "picture.sketch": _("Sketch painter, not a neural model"),
        "picture.diffusers": _("Diffusion model"),
        "picture.enhance": _("Make a picture clearer"),
        "picture.cutout": _("Cut out what is in front"),
        "picture.restore": _("Fill scratches and dust"),
    }.get(engine, engine)
