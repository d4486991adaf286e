"""Finds, in syntax trees, every name by which media could leave the program.

It sees names, not behaviour: it is a watchman for honest authors, who shall notice that they open a second door, and
not a wall against dishonest ones. Reading is free; writing, sending, starting other programs and unsealing are not.
Which file may use which way is written in tests/house/doors.py.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

WINGS = ("studio", "engines", "compliance")

# Modules that write, send, start processes, load code or reach into memory; the way is "import NAME".
MODULES = frozenset(
    """
    _ctypes _io _pickle _posixsubprocess _socket aifc aiohttp asyncio av builtins bz2 cffi cloudpickle code codecs
    copyreg ctypes curses dbm dill fileinput ftplib gc gzip h5py http httpx imageio imaplib imp importlib joblib lzma
    marshal matplotlib mmap multiprocessing nntplib paramiko pickle pkgutil poplib posix pty pyperclip requests runpy
    scipy.io selectors shelve shutil skimage.io smtplib socket socketserver soundfile sqlite3 ssl subprocess sunau
    tarfile telnetlib tempfile tifffile tkinter turtle urllib urllib3 wave webbrowser websocket websockets xmlrpc
    zipfile zmq
    concurrent.futures.process concurrent.interpreters logging.handlers
    PIL.ImageGrab PIL.ImageShow PIL.ImageTk
    PySide6.QtBluetooth PySide6.QtDBus PySide6.QtNetwork PySide6.QtPrintSupport PySide6.QtRemoteObjects
    PySide6.QtSerialPort PySide6.QtWebChannel PySide6.QtWebEngineCore PySide6.QtWebEngineWidgets PySide6.QtWebSockets
    """.split()
)
# Parts of those modules that only read.
READING = ("importlib.metadata", "importlib.resources", "urllib.parse")

# Attributes and imported names that are a way out whatever they belong to.
NAMES = frozenset(
    """
    save savefig savetxt savez savez_compressed tofile memmap dump imwrite imwritemulti imencode imencodemulti imshow
    VideoWriter FileStorage write_bytes write_text writelines touch symlink_to hardlink_to rename
    QClipboard QDrag QMimeData QPrinter QPdfWriter QImageWriter QMediaRecorder QMediaCaptureSession QScreenCapture
    QWindowCapture QSaveFile QTemporaryFile QFile QFileDevice QProcess QSharedMemory QLocalSocket QLocalServer
    QTcpSocket QUdpSocket QNetworkAccessManager QDesktopServices QSvgGenerator QTextDocumentWriter QSettings
    clipboard setClipboard setMimeData grab grabWindow grabFramebuffer grabToImage
    FileHandler RotatingFileHandler WatchedFileHandler ProcessPoolExecutor create_engine create_async_engine
    get_binary_stream FileBinaryWrite FileTextWrite open_file attrgetter methodcaller
    unseal unseal_document unseal_film unseal_sound
    """.split()
)
# Functions of os (and its C twin) that write, link, rename or start something.
OS_NAMES = frozenset(
    """
    open write writev pwrite pwritev sendfile copy_file_range splice fdopen dup dup2 link symlink rename renames replace
    mkfifo mknod memfd_create openpty truncate ftruncate fork forkpty popen system startfile
    execl execle execlp execlpe execv execve execvp execvpe posix_spawn posix_spawnp
    spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe
    """.split()
)
BUILTINS = frozenset({"exec", "eval", "compile", "__import__", "__builtins__", "breakpoint"})
SEALED_NAME = "_SyntheticMedia__"
_READ_MODE = re.compile(r"[rbtU]+\Z")


def _module_way(name: str) -> str | None:
    """The forbidden module that an imported name is or lies in."""
    if any(name == free or name.startswith(free + ".") for free in READING):
        return None
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        if ".".join(parts[:length]) in MODULES:
            return ".".join(parts[:length])
    return None


def _is_ours(name: str | None) -> bool:
    return name is not None and name.split(".")[0] in WINGS


def _bound_modules(tree: ast.AST) -> dict[str, str]:
    """Local name → module, for every import statement of a file."""
    bound: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                bound[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return bound


def _argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    for given in call.keywords:
        if given.arg == keyword:
            return given.value
    return call.args[position] if len(call.args) > position else None


def _opens_for_writing(call: ast.Call, position: int) -> bool:
    """Whether the mode at this position is anything but a literal for reading (or no mode at all: bytes in memory)."""
    if any(isinstance(given, ast.Starred) for given in call.args) or any(k.arg is None for k in call.keywords):
        return True
    mode = _argument(call, position, "mode")
    if mode is None or (isinstance(mode, ast.Call) and ast.unparse(mode.func) in ("BytesIO", "io.BytesIO")):
        return False
    return not (isinstance(mode, ast.Constant) and isinstance(mode.value, str) and _READ_MODE.match(mode.value))


class _Walk:
    """One file's ways out, in the order of the tree."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.bound = _bound_modules(tree)
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
        # A function that is called or compared is not handed on to somebody else who calls it.
        self.settled = called | {id(side) for node in compared for side in (node.left, *node.comparators)}

    def ways(self) -> Iterator[tuple[int, str]]:
        """(line, way) for every use."""
        for node in ast.walk(self.tree):
            for way in self._of(node):
                yield getattr(node, "lineno", 0), way

    def _of(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from self._import(alias.name, whole=alias.asname is None)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from self._import_from(node)
        elif isinstance(node, ast.Attribute):
            yield from self._attribute(node)
        elif isinstance(node, ast.Name):
            if node.id in BUILTINS:
                yield node.id
            elif node.id == "open" and isinstance(node.ctx, ast.Load) and id(node) not in self.settled:
                yield "open handed on"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and SEALED_NAME in node.value:
            yield SEALED_NAME
        elif isinstance(node, ast.Call):
            yield from self._call(node)

    def _import(self, name: str, *, whole: bool) -> Iterator[str]:
        # `import importlib.resources` binds importlib as a whole, `import importlib.resources as x` does not.
        bound = name.split(".")[0] if whole else name
        way = _module_way(bound) or _module_way(name)
        if way:
            yield f"import {way}"

    def _import_from(self, node: ast.ImportFrom) -> Iterator[str]:
        assert node.module
        for alias in node.names:
            way = _module_way(f"{node.module}.{alias.name}")
            if way:
                yield f"import {way}"
            if alias.name == "*":
                yield "import *"
            if node.module in ("os", "nt") and alias.name in OS_NAMES:
                yield f"os.{alias.name}"
            elif (node.module, alias.name) == ("io", "open"):
                yield "open handed on"
            elif alias.name in NAMES:
                yield alias.name

    def _module_of(self, node: ast.expr) -> str | None:
        """The module a name or dotted name stands for, as far as the imports tell."""
        if isinstance(node, ast.Name):
            return self.bound.get(node.id)
        if isinstance(node, ast.Attribute):
            inner = self._module_of(node.value)
            return f"{inner}.{node.attr}" if inner else None
        return None

    def _attribute(self, node: ast.Attribute) -> Iterator[str]:
        owner = self._module_of(node.value)
        if node.attr.startswith(SEALED_NAME):
            yield SEALED_NAME
        elif owner in ("os", "nt"):
            if node.attr in OS_NAMES:
                yield f"os.{node.attr}"
        elif node.attr in NAMES:
            yield node.attr
        elif owner and _module_way(f"{owner}.{node.attr}") and not _module_way(owner):
            yield f"import {_module_way(f'{owner}.{node.attr}')}"
        elif node.attr == "buffer" and ast.unparse(node.value).split(".")[-1].strip("_") in ("stdout", "stderr"):
            yield "stdout.buffer"
        elif node.attr == "open" and isinstance(node.ctx, ast.Load) and id(node) not in self.settled:
            yield "open handed on"

    def _call(self, node: ast.Call) -> Iterator[str]:
        function = node.func
        if isinstance(function, ast.Name):
            if function.id == "open" and _opens_for_writing(node, 1):
                yield "open for writing"
            elif function.id == "getattr" and len(node.args) > 1:
                yield from self._getattr(node)
        elif isinstance(function, ast.Attribute):
            owner = self._module_of(function.value)
            if function.attr == "open" and owner not in ("os", "nt") and not _is_ours(owner):
                # A module's open takes the path first, a path's open does not.
                if _opens_for_writing(node, 1 if owner else 0):
                    yield "open for writing"
            elif function.attr == "replace" and len(node.args) == 1 and not node.keywords and owner != "os":
                yield "Path.replace"
            elif function.attr == "show" and self._uses_pillow():
                yield "Image.show"

    def _uses_pillow(self) -> bool:
        return any(module.split(".")[0] == "PIL" for module in self.bound.values())

    def _getattr(self, node: ast.Call) -> Iterator[str]:
        name = node.args[1]
        if not (isinstance(name, ast.Constant) and isinstance(name.value, str)):
            yield "getattr by a computed name"
        elif self._module_of(node.args[0]) == "os" and name.value in OS_NAMES:
            yield f"os.{name.value}"
        elif name.value in NAMES:
            yield name.value


def ways(source: str) -> dict[str, list[int]]:
    """Way → the lines that use it, for the text of one file."""
    found: dict[str, list[int]] = {}
    for line, way in _Walk(ast.parse(source)).ways():
        found.setdefault(way, []).append(line)
    return found


def problems(root: Path, doors: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What is wrong in the wings under root: a way that no door allows, a door that nobody uses any more.

    doors: file, relative to root with "/" → way → reason.
    """
    wrong: list[str] = []
    seen: set[str] = set()
    for wing in WINGS:
        for path in sorted((root / wing).rglob("*.py")):
            file = path.relative_to(root).as_posix()
            seen.add(file)
            found = ways(path.read_text(encoding="utf-8"))
            allowed = doors.get(file, {})
            for way in sorted(found.keys() - allowed.keys()):
                wrong.append(f"{file}:{found[way][0]}: {way} is a way out")
            for way in sorted(allowed.keys() - found.keys()):
                wrong.append(f"{file}: {way} is allowed in doors.py but not used")
    wrong += [f"{file}: stands in doors.py but is not there" for file in sorted(doors.keys() - seen)]
    return wrong
