"""Files that are there whole or not at all, read without trust."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sims._store import _documents

__all__ = [
    "MAX_JSON_BYTES",
    "StoreError",
    "blame",
    "explained",
    "folder_name",
    "locked",
    "make_folder",
    "read_bytes",
    "sweep",
    "sync_folder",
    "write_atomic",
    "write_json_atomic",
    "write_text_atomic",
]

MAX_JSON_BYTES = 2**26
MAX_NAME_BYTES = 200  # file systems stop at 255, and a suffix must still fit

_TEMPORARY = re.compile(r"\.([0-9a-f]{8})-([1-9][0-9]{0,9})-[0-9a-f]{8}\.tmp")


class StoreError(OSError):
    """The store could not be read or written. One sentence: the trouble, and what is `kept` if something was there before.

    trouble: the sentence without that, for a folder that holds nothing yet.
    """

    def __init__(self, trouble: str, kept: str | None = None) -> None:
        super().__init__(trouble if kept is None else f"{trouble}; {kept}.")
        self.trouble = trouble if kept is None else f"{trouble}."


@contextlib.contextmanager
def explained(action: str, path: Path) -> Iterator[None]:
    """Turns an OSError into the StoreError that a user reads."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"Could not {action} {path}: {reason}", "finished chunks are intact and a rerun resumes") from error


def blame(error: Exception) -> str:
    """What is wrong with a file that could not be read, in words.

    Raises: the error itself if it speaks of this process (memory, open files, rights), not of the file.
    """
    if isinstance(error, (MemoryError, StoreError)):
        raise error
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def folder_name(name: str) -> str:
    """`name` as one path component; a long one is cut and keeps a digest of the whole.

    Raises: ValueError if it is no path component at all.
    """
    if "/" in name or "\0" in name or name in (".", ".."):
        raise ValueError(f"store: {name!r} cannot name a folder.")
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name or "_"
    head = name.encode()[: MAX_NAME_BYTES - 17].decode(errors="ignore")
    return f"{head}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def sync_folder(folder: Path) -> None:
    """Brings a folder's list of names to the disk. Raises: OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems cannot sync a folder
            raise
    finally:
        os.close(fd)


def make_folder(folder: Path) -> None:
    """mkdir -p, each new name on disk before anything is put under it. Raises: StoreError."""
    with explained("make the folder", folder):
        if folder.is_dir():
            return
        if folder.parent != folder:
            make_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder)
            sync_folder(folder.parent)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def write_atomic(path: Path, data: bytes) -> None:
    """Puts `data` under `path` in one step: readers see all of it or nothing. Raises: StoreError."""
    temporary = path.with_name(f".{_host()}-{os.getpid()}-{secrets.token_hex(4)}.tmp")
    with explained("write", path):
        try:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(fd, rest) :]
                os.fsync(fd)
            finally:
                os.close(fd)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        sync_folder(path.parent)


def write_json_atomic(path: Path, obj: Any) -> None:
    """Writes `to_json(obj)` as strict JSON, a row of numbers to a line, in one step. Raises: StoreError; TypeError as `to_json`."""
    data = _documents.packed(_documents.to_json(obj))
    path = Path(path)
    make_folder(path.parent)
    sweep(path.parent)
    write_atomic(path, data)


def write_text_atomic(path: Path, text: str) -> None:
    """Writes a text, in one step. Raises: StoreError."""
    make_folder(path.parent)
    sweep(path.parent)
    write_atomic(path, text.encode())


def sweep(folder: Path) -> None:
    """Removes what killed writers left: of dead processes of this host, and whatever is older than a day."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if match := _TEMPORARY.fullmatch(entry.name):
                with contextlib.suppress(OSError):
                    old = time.time() - entry.stat(follow_symlinks=False).st_mtime > 86_400
                    if old or (match[1] == _host() and not _alive(int(match[2]))):
                        os.unlink(entry.path)


def _host() -> str:
    return hashlib.sha256(os.uname().nodename.encode()).hexdigest()[:8]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def read_bytes(path: Path, limit: int) -> bytes:
    """A regular file's bytes; never through a symbolic link, never more than `limit`, never waiting on a pipe.

    Raises: ValueError for what is no such file; StoreError when this process lacks open files, memory or the
      right to read, which says nothing about the file; OSError.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ValueError("it is a symbolic link") from None
        if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EPERM):
            with explained("read", path):
                raise
        raise
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a regular file")
        if status.st_size > limit:
            raise ValueError(f"it is larger than {limit} bytes")
        with open(fd, "rb", closefd=False) as file:
            return file.read(status.st_size)
    finally:
        os.close(fd)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder's lock; a killed holder lets go of it. Raises: StoreError."""
    path = folder / ".lock"
    with explained("lock", path):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        with explained("lock", path):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
            except OSError as error:  # a file system without locks: chunks are still never mixed, only drawn twice
                if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP):
                    raise
        yield
    finally:
        os.close(fd)
