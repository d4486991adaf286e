"""Where a release may appear: formats by their endings, the place a name leads to, and what stands there already."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from compliance.errors import FormatUnsupported, NotWritable, OutputIsInput, TargetExists
from compliance.labels import policy
from compliance.labels.policy import BESIDE, MediaFormat
from compliance.media import MediaInfo
from compliance.storage import disk_error, refuse_unwritable

FORMATS: dict[str, MediaFormat] = {ending: name for name, rule in policy.FORMATS.items() for ending in rule.endings}


def format_of(path: Path, kind: str | None = None) -> MediaFormat:
    """The container a path's ending names; raises FormatUnsupported, also for one of another kind than is named."""
    fitting = [ending for ending, name in FORMATS.items() if kind in (None, policy.FORMATS[name].kind)]
    ending = path.suffix.lower()
    if ending not in fitting:
        raise FormatUnsupported(path=path, supported=", ".join(fitting))
    return FORMATS[ending]


def beside(path: Path) -> Path:
    """Where the credential of a file stands whose format cannot hold it."""
    return path.with_name(f"{path.name}.c2pa")


def place_of(out: Path) -> Path:
    """Where a name leads as the system reads it: links in its folder are followed, its last part is left as it is.

    Raises NotWritable.
    """
    try:
        return out.parent.resolve() / out.name
    except RuntimeError as error:
        raise NotWritable(path=out, reason="too many levels of symbolic links") from error
    except OSError as error:
        raise disk_error(error, out) from error


def verify_destination(out: Path, overwrite: bool, inputs: Sequence[Path] = (), kind: str | None = None) -> None:
    """Raise FormatUnsupported, NotWritable, TargetExists or OutputIsInput unless a release may appear at out.

    inputs: the files it is made from; they are never replaced, whatever name they go by. kind: of media that is
    to come, where it is known already.
    """
    if os.path.isdir(out):
        raise NotWritable(path=out, reason="it is a folder")
    names = (out, beside(out)) if format_of(out, kind) in BESIDE else (out,)
    try:
        os.fspath(out).encode()
    except UnicodeEncodeError as error:
        raise NotWritable(path=out, reason="its name is not UTF-8") from error
    try:
        if not out.parent.is_dir():
            raise NotWritable(path=out.parent, reason="there is no such folder")
        refuse_unwritable(out.parent)
        for name in names:
            if any(_is_same_file(name, path) for path in inputs):
                raise OutputIsInput(path=name)
            mode = _mode(name)
            if stat.S_ISDIR(mode):
                raise NotWritable(path=name, reason="it is a folder")
            if mode and not overwrite:
                raise TargetExists(path=name)
    except OSError as error:
        raise disk_error(error, out) from error


def verify_kind(out: Path, info: MediaInfo) -> None:
    """Raise FormatUnsupported unless the ending is one for this kind of media."""
    format_of(out, info.kind)


def _mode(path: Path) -> int:
    """What stands under a name, no link followed; 0 when nothing does. Raises OSError for a name that cannot be."""
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return 0


def _is_same_file(first: Path, second: Path) -> bool:
    """Whether two names lead to one file, through links of either kind; False when one of them leads nowhere."""
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False
