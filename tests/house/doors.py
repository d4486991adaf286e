"""Which file may use which way out, and why. A line that is not used any more fails as well: take it away."""

from __future__ import annotations

_ONE_OF_OURS = "reads a field of a class of our own by its name"

DOORS: dict[str, dict[str, str]] = {
    "compliance/decode_sound.py": {"import av": "reads finished sound to measure it; opens it for reading only"},
    "compliance/decode_video.py": {"import av": "reads finished video to measure it; opens it for reading only"},
    "compliance/draft.py": {
        "unseal": "draws the labels: the one reader of sealed media",
        "unseal_document": "writes the notice into a text: the one reader of sealed documents",
        "unseal_film": "draws the label on every frame: the one reader of sealed video",
        "unseal_sound": "draws the audible label: the one reader of sealed sound",
    },
    "compliance/documents_pictures.py": {"import zipfile": "reads the pictures of a Word document in memory"},
    "compliance/documents_pdf.py": {"import ctypes": "the buffer into which pdfium copies one text of a PDF"},
    "compliance/documents_word.py": {"import zipfile": "reads the parts of a Word document in memory"},
    "compliance/fingerprint/chroma.py": {
        "import ctypes": "the library of sound fingerprints, which gives numbers alone"
    },
    "compliance/encode.py": {
        "save": "the only encoder: into memory",
        "os.write": "the only media writer: into the draft's descriptor",
    },
    "compliance/encode_document.py": {
        "import zipfile": "puts the parts of a Word document together in memory",
        "save": "ends a PDF page that holds nothing but the label, in memory",
    },
    "compliance/encode_sound.py": {
        "import av": "the only encoder of sound",
        "open for writing": "av's container, which writes into memory and never into a file",
    },
    "compliance/encode_video.py": {
        "import av": "the only encoder of video",
        "open for writing": "av's container, which writes into memory and never into a file",
    },
    "compliance/media.py": {"_SyntheticMedia__": "defines the seal and its one opener"},
    "compliance/postgres.py": {
        "create_engine": "the database of a home on a server of the studio: records, never media"
    },
    "compliance/receipt.py": {"save": "ends a PDF page of a consent receipt in memory: a record, never media"},
    "compliance/release.py": {
        "os.link": "the one way out: the finished file appears under its name",
        "os.open": "opens the draft's file, re-reads it, syncs the folder",
        "os.replace": "the one way out where --overwrite was asked for",
        "os.write": "writes the signed bytes beside the target",
    },
    "compliance/review_result.py": {
        "unseal": "looks at a result before anybody else may; keeps and hands out no pixel",
        "unseal_film": "looks at every frame of a film before the draft gets it",
    },
    "compliance/session_keys.py": {"import ctypes": "system calls of the kernel's keyring: a key, never media"},
    "compliance/storage.py": {
        "os.open": "own records of a home: bytes of JSON, never media",
        "os.replace": "own records appear as a whole",
        "os.write": "own records of a home",
    },
    "compliance/sqlite.py": {
        "create_engine": "the database of a home: records, never media",
        "import sqlite3": "switches the journal before SQLAlchemy connects, and names error codes",
        "os.open": "opens the null device to learn whether anything can be opened",
        "touch": "makes the database file with its mode before SQLite does",
    },
    "compliance/witness.py": {"os.open": "the lock beside a witness's state: an empty file"},
    "engines/picture/pipelines.py": {
        "getattr by a computed name": "picks torch's number type, diffusers' pipelines and schedulers by name",
    },
    "engines/sound.py": {"import av": "decodes sounds from memory; opens them for reading only"},
    "engines/film.py": {"import av": "reads films for engines; opens them for reading only"},
    "engines/engine.py": {"import importlib": "loads an engine when it is asked for, from a fixed table"},
    "engines/voice/libraries.py": {"import ctypes": "flite and espeak-ng, inside the speech process alone"},
    "engines/voice/coqui_checkpoint.py": {
        "import pickle": "names the error of torch's weights-only reader; nothing is unpickled by it",
    },
    "engines/voice/torchaudio_stand_in.py": {
        "import importlib": "asks whether torchaudio can be found, without loading it",
    },
    "studio/__main__.py": {
        "getattr by a computed name": "the three standard streams by their names",
        "open for writing": "a standard stream that was closed at the start: onto the null device",
        "os.dup2": "gives the null device the number of that stream",
        "os.open": "opens the null device for that, for reading only",
    },
    "studio/commands/output.py": {
        "os.dup2": "turns the output to nowhere when nobody reads it any more",
        "os.open": "opens the null device for that",
    },
    "studio/commands/stopping.py": {"getattr by a computed name": "signals that not every system knows"},
    "studio/commands/door.py": {"import importlib": "asks whether a part is installed, and loads nothing"},
    "studio/commands/verify_page.py": {
        "save": "a small picture of a checked file for the report about it, into memory: the file as it lies there",
    },
    "studio/oidc_transport.py": {
        "import http": "asks a provider of identities, and waits on this machine for the browser to come back",
        "import ssl": "checks the certificate of that provider",
        "import urllib": "asks a provider of identities who an operator is; no media goes this way",
    },
    "studio/packs.py": {
        "import shutil": "copies weights into the home and removes them again: models, never media",
        "os.rename": "a pack appears and goes as a whole",
    },
    "studio/pipe.py": {"import socket": "the pair of local sockets between the program and its worker"},
    "studio/reports.py": {
        "open for writing": "an error report: the kind of error and places in the code, neither media nor names",
        "os.open": "makes the report readable by its owner alone",
    },
    "studio/runner.py": {
        "import socket": "the local socket to the worker",
        "import subprocess": "starts the worker, and nothing else",
        "os.memfd_create": "inputs travel to the worker in memory, never over a disk",
        "os.write": "fills that memory with the input's own bytes",
    },
    "studio/sandbox.py": {
        "import ctypes": "system calls that take rights away from the worker",
        "os.open": "names the readable folders to the kernel, without opening them for anything",
    },
    "studio/settings.py": {
        "import tempfile": "settings are written beside their file first",
        "os.fdopen": "writes the settings as text",
        "os.replace": "settings appear as a whole",
    },
    "studio/speech.py": {
        "import socket": "the local sockets between the worker and the speech process",
        "import subprocess": "starts the speech process, and nothing else",
        "os.fork": "a child for each conversation, confined like its parent",
    },
    "studio/worker.py": {"import socket": "the local socket to the program"},
    "studio/workshop.py": {"import shutil": "asks for the free space of a folder"},
    "studio/window/widgets/camera.py": {
        "QMediaCaptureSession": "shows what the camera sees, while a consent is recorded live",
        "open for writing": "opens that film's place in memory: a buffer, not a file",
        "QMediaRecorder": "films the person who agrees: into memory, then sealed as evidence, never onto a disk",
    },
    "studio/window/widgets/wave_player.py": {
        "open for writing": "opens a labelled sound's place in memory, for reading only: a buffer, not a file"
    },
    "studio/window/pages/wizard_camera.py": {
        "open for writing": "a picture's place in memory: a buffer, not a file",
        "save": "the last picture of the film as PNG in that memory: compared by the recogniser, never onto a disk",
    },
    "studio/window/models/mask.py": {
        "open for writing": "a painted mask's place in memory: a buffer, not a file",
        "save": "the painted mask as PNG in that memory, on its way to the worker: no media, never onto a disk",
    },
    "studio/window/widgets/ways_out.py": {
        "import PySide6.QtPrintSupport": "the printer dialog: paper alone, for the labelled pixels of a released file",
        "QDrag": "drags the address of a released file, compared with its digest before; never a preview",
        "QMimeData": "the address of a released file and the labelled pixels decoded from it",
        "QPrinter": "prints the labelled pixels decoded from a released file; printing into a file is switched off",
        "open for writing": "a released file's bytes in memory, opened for reading: a buffer, not a file",
        "clipboard": "takes the address and the labelled pixels of a released file",
        "setMimeData": "hands over the same",
    },
    "studio/window/folders.py": {
        "QDesktopServices": "shows the folder of a finished file, and the sign-in page of an identity provider"
    },
    "studio/window/icons.py": {"getattr by a computed name": _ONE_OF_OURS},
    "studio/window/theme.py": {"getattr by a computed name": _ONE_OF_OURS},
}
