"""Errors of what was given: files, texts, numbers, options."""

from __future__ import annotations

from compliance.errors.base import ExitCode, SignetError


class InputError(SignetError):
    """The given file or value cannot be used."""


class FileMissing(InputError):
    """data: path."""

    message = "There is no file at {path}."
    next_step = "Check the path and try again."


class NotAPicture(InputError):
    """data: path, reason."""

    message = "{path} is not a picture that can be read ({reason})."
    next_step = "Use a PNG, JPEG, WebP, TIFF, GIF or AVIF picture that opens in a picture viewer."


class NotASound(InputError):
    """data: path, reason."""

    message = "{path} is not a sound that can be read ({reason})."
    next_step = "Use a WAV, FLAC, MP3, M4A or Ogg file that plays in a sound player."


class NotAVideo(InputError):
    """data: path, reason."""

    message = "{path} is not a video that can be read ({reason})."
    next_step = "Use an MP4, MOV, MKV or WebM file that plays in a video player."


class VideoTooLong(InputError):
    """data: path, limit_s."""

    message = "{path} is longer than {limit_s} seconds."
    next_step = "Cut the video into shorter files and try again."


class NotADocument(InputError):
    """data: path, reason."""

    message = "{path} is not a document that can be read ({reason})."
    next_step = "Use a TXT, Markdown, HTML, DOCX or PDF file that opens in its usual program."


class DocumentUnsuitable(InputError):
    """data: reason."""

    message = "This document cannot be labelled ({reason})."
    next_step = "Take what is named out of the document, or save it in another format, and try again."


class SoundTooLong(InputError):
    """data: path, limit_s."""

    message = "{path} is longer than {limit_s} seconds."
    next_step = "Cut the recording into shorter files and try again."


class VoiceNotFound(InputError):
    """data: path, seconds, limit_s."""

    message = "There is too little speech in {path}: {seconds} seconds were found, {limit_s} are needed."
    next_step = "Use a recording in which one person speaks clearly and close to the microphone."


class TextEmpty(InputError):
    """data: reason. Nothing in a text can be said."""

    code = ExitCode.USAGE
    message = "There is nothing to say in this text ({reason})."
    next_step = "Give words with --text, or a file of words with --script."


class TextTooLong(InputError):
    """data: characters, limit."""

    code = ExitCode.USAGE
    message = "The text has {characters} characters; at most {limit} are spoken at once."
    next_step = "Split it into several parts and speak one after the other."


class MarkupUnclear(InputError):
    """data: place (characters from the start, from 1), reason."""

    code = ExitCode.USAGE
    message = "A tag of the text cannot be read, at character {place}: {reason}."
    next_step = (
        'Write <break time="500ms"/>, <emphasis>…</emphasis>, <prosody rate="slow">…</prosody>, or &lt; for a plain <.'
    )


class LanguageUnspoken(InputError):
    """data: language."""

    code = ExitCode.USAGE
    message = "No voice here speaks this language: {language}."
    next_step = "See the languages with `signet voice list`, or write the words in one of them."


class ScriptUnclear(InputError):
    """data: line (from 1), reason."""

    code = ExitCode.USAGE
    message = "Line {line} of the script cannot be read: {reason}."
    next_step = "Write one line for each speech, as in `Anna: Good morning.`; lines that begin with # are left out."


class PictureTooLarge(InputError):
    """data: path, width, height, limit_mp."""

    message = "{path} is {width}×{height} pixels; the limit is {limit_mp} megapixels."
    next_step = "Scale the picture down and try again."


class NoFaceFound(InputError):
    """data: path."""

    message = "No face was found in {path}."
    next_step = "Use a picture in which the face is turned to the camera, sharp and at least 60 pixels wide."


class FaceTooSmall(InputError):
    """data: path, eye_distance_px, limit_px."""

    message = "The face in {path} is too small: {eye_distance_px} pixels between the eyes, {limit_px} are needed."
    next_step = "Use a larger picture of the face."


class NameMissing(InputError):
    """A person without a name."""

    code = ExitCode.USAGE
    message = "A person needs a name."
    next_step = "Give the name under which the person signed; it is kept sealed."


class FaceIndexUnknown(InputError):
    """data: path, index, found."""

    code = ExitCode.USAGE
    message = "{path} has no face number {index}; {found} were found."
    next_step = "Count the faces from left to right, starting at 1, or leave --face out to swap all."


class FormatUnsupported(InputError):
    """data: path, supported."""

    code = ExitCode.USAGE
    message = "{path} ends in a format that Signet cannot release."
    next_step = "Choose one of these endings: {supported}."


class UsageUnclear(InputError):
    """data: problem (a sentence), command. The words after `signet` make no command."""

    code = ExitCode.USAGE
    message = "{problem}"
    next_step = "Read `{command} --help`."


class ReleaseChanged(InputError):
    """data: path. A released file is no longer what was released."""

    message = "{path} was changed after it was released, so it is neither copied nor printed from here."
    next_step = "Verify it, or release it again."


class OutputIsInput(InputError):
    """data: path. The result would take the place of a picture that it is made from."""

    code = ExitCode.USAGE
    message = "{path} is one of the files the result is made from; the original would be lost."
    next_step = "Choose another name for the result."


class RequestUnreadable(InputError):
    """data: path."""

    code = ExitCode.USAGE
    message = "{path} does not hold a request."
    next_step = "A request is JSON with function, engine, inputs, options, purpose, faces_edited and consents."


class NumberInvalid(InputError):
    """data: kind, reason. Never the number itself."""

    code = ExitCode.USAGE
    message = "This is not a valid {kind}: {reason}."
    next_step = "Compare it with the document, sign by sign, and enter it again."


class UnknownRecord(InputError):
    """data: kind, id."""

    message = "There is no {kind} {id}."
    next_step = "List what is there and copy the id."


class OptionUnfit(InputError):
    """data: option, value, allowed."""

    code = ExitCode.USAGE
    message = "{option} cannot be {value}."
    next_step = "Choose from: {allowed}."
