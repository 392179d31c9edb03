"""Chunks of replicates: one cell under one root seed."""

from __future__ import annotations

import collections
import errno
import hashlib
import io
import math
import os
import re
import secrets
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sims._store import _documents, _files

__all__ = ["CellStore", "copy_cell", "holds_chunks"]

Arrays = dict[str, np.ndarray]

MAX_CHUNK_BYTES = 2**30
MAX_MEMBERS = 64

_CHUNK = re.compile(r"(0|[1-9][0-9]{0,17})-([0-9a-f]{16})\.npz")
_HEADER = re.compile(rb"\{'descr': '([<|][a-zA-Z][0-9]{1,4})', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \} *\n")
_DTYPES = frozenset(["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"])
_STAMPS = ("_fingerprint", "_place")  # text members of every chunk


def _pack(members: Mapping[str, np.ndarray]) -> bytes:
    """An uncompressed npz whose bytes depend on nothing but names and arrays (no dates, members sorted)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                np.save(member, members[name], allow_pickle=False)
    return buffer.getvalue()


def _unpack(data: bytes) -> Arrays:
    """What `_pack` packed. Sizes are checked against the bytes at hand before any of them is turned into an array.

    Raises: an exception of any type for anything that `_pack` cannot have written.
    """
    arrays: Arrays = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise ValueError(f"it has {len(members)} members, more than {MAX_MEMBERS}")
        if any(m.compress_type != zipfile.ZIP_STORED or m.file_size != m.compress_size for m in members):
            raise ValueError("it has a compressed member")
        if sum(m.file_size for m in members) > len(data):
            raise ValueError("its members are larger than the file")
        for member in members:
            name, suffix = os.path.splitext(member.filename)
            if suffix != ".npy" or name in arrays:
                raise ValueError(f"its member {member.filename!r} is no array, or there twice")
            arrays[name] = _unpack_array(name, archive.read(member))
    return arrays


def _unpack_array(name: str, raw: bytes) -> np.ndarray:
    """An npy file by the letter of what np.save writes: nothing is evaluated, and pickles have no way in."""
    start = 10 + int.from_bytes(raw[8:10], "little")
    header = _HEADER.fullmatch(raw[10:start])
    if raw[:8] != b"\x93NUMPY\x01\x00" or header is None:
        raise ValueError(f"its member {name!r} has no plain array header")
    kind = header[1].decode()
    if not (kind in _DTYPES or (name in _STAMPS and kind.startswith("<U"))):
        raise ValueError(f"its member {name!r} has dtype {kind}, which is not allowed")
    dtype = np.dtype(kind)
    shape = tuple(int(n) for n in re.findall(rb"[0-9]+", header[2]))
    if math.prod(shape) * dtype.itemsize != len(raw) - start:
        raise ValueError(f"its member {name!r} declares another size than it has")
    return np.ndarray(shape, dtype, raw, start)


def _schema(arrays: Mapping[str, np.ndarray]) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    return tuple((name, a.dtype.name, a.shape[1:]) for name, a in sorted(arrays.items()))


def holds_chunks(out: Path, claim: str, experiment: str, cell_id: str, seed: int) -> bool:
    """Whether a cell's folder has any chunk, good or not, stale or not; changes nothing."""
    return any(Path(out, *map(_files.folder_name, (claim, experiment, cell_id)), f"seed={seed}").glob("*.npz"))


class CellStore:
    """The stored replicates of one cell under one root seed, in chunks of a fixed length.

    Any number of processes may use one folder at once: finished chunks of all of them count.

    Args:
      out, claim, experiment, cell_id, seed: where the chunks lie; also written into each of them.
      fingerprint: what the numbers depend on, as one short text. Chunks made under another one are stale: they are
        set aside in a sibling folder "seed=<n>.stale-<its first 8 characters>", and the cell starts afresh.
      about: JSON-able account of what the fingerprint stands for; kept in cell.json, compared to say why chunks
        are stale.
      chunk: replicates per file. A changed length makes chunks stale too.
      say: receives one sentence about everything that was not as it should be.
    Raises: StoreError if the folder cannot be made or written; TypeError if `about` is not JSON-able; ValueError
      if a name cannot name a folder, or chunk < 1.
    """

    def __init__(
        self,
        out: Path,
        claim: str,
        experiment: str,
        cell_id: str,
        seed: int,
        *,
        fingerprint: str,
        about: Mapping[str, Any],
        chunk: int,
        say: Callable[[str], None],
    ) -> None:
        if chunk < 1:
            raise ValueError(f"CellStore: chunk must be >= 1, got {chunk}.")
        self._cell = Path(out, *map(_files.folder_name, (claim, experiment, cell_id)))
        self._folder = self._cell / f"seed={seed}"
        self._place = f"{claim}/{experiment}/{cell_id}/seed={seed}"
        self._fingerprint, self._chunk, self._say = fingerprint, chunk, say
        self._good: dict[int, str] = {}  # first replicate -> name of the file that has been verified
        self._kind: tuple[Any, ...] = ()  # schema of the good chunks
        about = _documents.from_json(_documents.to_json(about))
        head = {"place": self._place, "chunk": chunk, "fingerprint": fingerprint, "about": about}

        _files.make_folder(self._cell)
        self._inode = self._inode_now()
        if not self._is_mine(_read_head(self._folder)[0]) or self._inode != self._inode_now():
            with _files.locked(self._cell):
                self._take(head)
        _files.sweep(self._folder)

    def load(self) -> Arrays:
        """Replicates 0, 1, ... up to the first hole, as arrays [replicates, ...]; {} if there are none.

        Reads and verifies every chunk anew; a bad one is named, quarantined and missing from then on.
        Raises: StoreError.
        """
        chunks = self._scan(everything=True)
        prefix: list[Arrays] = []
        while (first := len(prefix) * self._chunk) in chunks:
            prefix.append(chunks[first])
        return {name: np.concatenate([c[name] for c in prefix]) for name in sorted(prefix[0])} if prefix else {}

    def append(self, first: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Stores replicates first .. first+chunk-1, which are on disk when this returns.

        Does nothing if the chunk is there already. If it is there with other numbers, the stored ones stay.
        Raises: ValueError for arrays that are not `chunk` numbers or rows of a plain dtype; StoreError, also when
          these arrays are not of the kind already stored.
        """
        arrays = self._checked(first, arrays)
        stamps = {"_fingerprint": np.array(self._fingerprint), "_place": np.array(f"{self._place}/{first}")}
        data = _pack({**arrays, **stamps})
        if len(data) > MAX_CHUNK_BYTES:
            raise ValueError(f"CellStore.append: a chunk must take at most {MAX_CHUNK_BYTES} bytes, got {len(data)}.")
        name = f"{first}-{hashlib.sha256(data).hexdigest()[:16]}.npz"
        self._scan(everything=False)
        stored = self._good.get(first)
        if stored is not None:
            if stored != name:
                span = self._span(first)
                self._say(f"{self._folder / stored}: a second draw of {span} gave other numbers; the stored ones stay.")
            return
        kind = _schema(arrays)
        if self._good and kind != self._kind:
            raise _files.StoreError(
                f"Could not store {self._span(first)} in {self._folder}: the arrays are {_listed(kind)}, those of the "
                f"stored chunks {_listed(self._kind)}; these are intact, move the folder away to start afresh."
            )
        _files.write_atomic(self._folder / name, data)
        self._good[first], self._kind = name, kind

    def has(self, first: int) -> bool:
        """Whether the chunk that starts at `first` is stored and good, by whichever process. Raises: StoreError."""
        self._scan(everything=False)
        return first in self._good

    def missing(self, upto: int) -> list[int]:
        """First replicates of the chunks still to be made for replicates 0 .. upto-1. Raises: StoreError."""
        self._scan(everything=False)
        return [first for first in range(0, upto, self._chunk) if first not in self._good]

    def _checked(self, first: int, arrays: Mapping[str, np.ndarray]) -> Arrays:
        """The arrays as they will be stored."""
        where, rows = "CellStore.append", self._chunk
        if first < 0 or first % rows:
            raise ValueError(f"{where}: first must be a multiple of chunk={rows}, >= 0, got {first}.")
        if not 1 <= len(arrays) <= MAX_MEMBERS - len(_STAMPS):
            raise ValueError(f"{where}: there must be 1 to {MAX_MEMBERS - len(_STAMPS)} arrays, got {len(arrays)}.")
        checked: Arrays = {}
        for name, values in arrays.items():
            array = np.asarray(values)
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.~-]{0,99}", name):
                raise ValueError(f"{where}: an array's name must be plain and not start with _, got {name!r}.")
            if array.shape[:1] != (rows,):
                raise ValueError(f"{where}: {name} must have chunk={rows} rows, got shape {array.shape}.")
            dtype = array.dtype.newbyteorder("<")
            if dtype.str not in _DTYPES:
                raise ValueError(f"{where}: {name} must be of bool, integer or float dtype, got {array.dtype}.")
            checked[name] = np.ascontiguousarray(array, dtype)
        return checked

    def _span(self, first: int) -> str:
        return f"replicates {first} to {first + self._chunk - 1}"

    def _scan(self, everything: bool) -> dict[int, Arrays]:
        """Verifies all chunks, or those not seen before; returns what it read, by first replicate."""
        self._require_mine()
        names = sorted(self._chunk_names(), key=lambda name: (_first(name), name))
        seen = set() if everything else set(self._good.values()).intersection(names)
        self._good = {first: name for first, name in self._good.items() if name in seen}
        read: dict[str, Arrays] = {}
        for name in names:
            if name not in seen and (arrays := self._read_chunk(name)) is not None:
                read[name] = arrays

        # One odd file must not condemn all others, wherever it stands: the commonest kind is the right one.
        kinds = collections.Counter({self._kind: len(self._good)} if self._good else {})
        kinds.update(_schema(arrays) for arrays in read.values())
        self._kind = max(kinds, key=kinds.__getitem__, default=())
        fresh: dict[int, Arrays] = {}
        for name, arrays in read.items():
            first = _first(name)
            if _schema(arrays) != self._kind:
                self._reject(name, "its arrays are not of the same kind as those of the other chunks")
                continue
            # Two runs that drew different numbers must agree which to keep: the smaller name.
            keep, *others = sorted({name, self._good.get(first, name)})
            for other in others:
                self._reject(other, f"{keep} holds the same replicates with other numbers")
            self._good[first] = keep
            if keep == name:
                fresh[first] = arrays
        return fresh

    def _chunk_names(self) -> list[str]:
        with _files.explained("list", self._folder):
            return [name for name in os.listdir(self._folder) if _CHUNK.fullmatch(name)]

    def _read_chunk(self, name: str) -> Arrays | None:
        """The arrays of a chunk; None if it is gone, or bad and therefore quarantined."""
        try:
            return self._verified(name)
        except FileNotFoundError:
            return None
        except Exception as error:
            _files.blame(error)
        # Again, under the lock: another run may have moved it meanwhile, and put a good one in its place.
        with _files.locked(self._cell):
            self._require_mine()
            try:
                return self._verified(name)
            except FileNotFoundError:
                return None
            except Exception as error:
                self._move_away(name, _files.blame(error))
                return None

    def _verified(self, name: str) -> Arrays:
        return _verified(self._folder / name, self._place, self._chunk, self._fingerprint)

    # Whose folder it is. A run with other code may set the folder aside at any moment and put its own in place; the
    # inode tells. What slips through is caught by the fingerprint inside each chunk.

    def _inode_now(self) -> tuple[int, int] | None:
        with _files.explained("find", self._folder):
            try:
                status = os.stat(self._folder)
            except FileNotFoundError:
                return None
        return status.st_dev, status.st_ino

    def _require_mine(self) -> None:
        if self._inode_now() != self._inode:
            raise _files.StoreError(
                f"Could not go on in {self._folder}: another run, with other code or versions, has set it aside",
                "its finished chunks are intact there and a rerun starts from those that fit",
            )

    def _is_mine(self, head: Mapping[str, Any] | None) -> bool:
        mine = (self._place, self._chunk, self._fingerprint)
        return head is not None and (head["place"], head["chunk"], head["fingerprint"]) == mine

    def _take(self, head: Mapping[str, Any]) -> None:
        """Under the lock: leaves a folder with this fingerprint's cell.json and no stale chunks."""
        _files.make_folder(self._folder)
        old, damage = _read_head(self._folder)
        if damage is not None:
            self._move_away("cell.json", damage)
        if old is None:
            found = self._fingerprints_inside()
            if found and self._fingerprint not in found:
                self._set_aside(found[0], f"fingerprint {_short(found[0])} -> {_short(self._fingerprint)}")
        elif not self._is_mine(old):
            self._set_aside(old["fingerprint"], _differences(old, head))
        if not self._is_mine(old):  # else another run was quicker
            _files.write_atomic(self._folder / "cell.json", _documents.seal(head))
        self._inode = self._inode_now()

    def _fingerprints_inside(self) -> list[str]:
        """What the chunks say of themselves, for want of a cell.json; bad ones say nothing."""
        found = []
        for name in sorted(self._chunk_names()):
            try:
                found.append(str(_members(self._folder / name)["_fingerprint"].item()))
            except Exception as error:
                _files.blame(error)
        return found

    def _set_aside(self, fingerprint: str, why: str) -> None:
        label = re.sub(r"[^0-9A-Za-z]", "_", fingerprint)[:8]
        stale = self._folder.with_name(f"{self._folder.name}.stale-{label}")
        chunks = len(self._chunk_names())
        with _files.explained("set aside", self._folder):
            if os.path.lexists(stale):
                shutil.rmtree(stale)
            os.rename(self._folder, stale)
        _files.make_folder(self._folder)
        if chunks:
            self._say(
                f"{self._folder}: {chunks} stored chunk{'s are' if chunks > 1 else ' is'} stale ({why}); "
                f"set aside as {stale.name}, the cell starts afresh."
            )

    def _reject(self, name: str, reason: str) -> None:
        with _files.locked(self._cell):
            self._require_mine()
            self._move_away(name, reason)

    def _move_away(self, name: str, reason: str) -> None:
        """Under the lock: into quarantine, with a notice; nothing if another run was quicker."""
        path, folder = self._folder / name, self._folder / "quarantine"
        with _files.explained("quarantine", path):
            if folder.is_symlink():
                raise NotADirectoryError(errno.ENOTDIR, "quarantine is a symbolic link")
            _files.make_folder(folder)
            taken = os.path.lexists(folder / name)
            try:
                os.rename(path, folder / (f"{name}.{secrets.token_hex(4)}" if taken else name))
            except FileNotFoundError:
                return
        if name == "cell.json":
            self._say(f"{path}: damaged ({reason}); moved to quarantine and written anew.")
        else:
            span = self._span(_first(name))
            self._say(f"{path}: bad chunk ({reason}); moved to quarantine, {span} will be drawn again.")


def copy_cell(source: Path, target: Path, say: Callable[[str], None]) -> int:
    """Copies the good chunks of a cell's folder that `target` lacks; returns how many.

    Raises: StoreError if `target` holds the cell as drawn by other code or versions, or cannot be written.
    """
    head, damage = _read_head(source)
    if head is None:
        say(f"{source}: {damage or 'cell.json is gone'}; not merged.")
        return 0
    there, _ = _read_head(target)
    if there is not None and any(there[key] != head[key] for key in ("place", "chunk", "fingerprint")):
        raise _files.StoreError(
            f"Could not merge {source} into {target}: made differently ({_differences(there, head)}); nothing is mixed."
        )
    claim, experiment, cell_id, seed = head["place"].split("/")
    store = CellStore(
        target.parents[3], claim, experiment, cell_id, int(seed.removeprefix("seed=")),
        fingerprint=head["fingerprint"], about=head["about"], chunk=head["chunk"], say=say,
    )  # fmt: skip
    copied = 0
    for name in sorted(filter(_CHUNK.fullmatch, os.listdir(source))):
        try:
            arrays = _verified(source / name, head["place"], head["chunk"], head["fingerprint"])
        except Exception as error:
            say(f"{source / name}: bad chunk ({_files.blame(error)}); not merged.")
            continue
        copied += not store.has(_first(name))
        store.append(_first(name), arrays)
    return copied


def _read_head(folder: Path) -> tuple[dict[str, Any] | None, str | None]:
    """The content of cell.json; or None, and what is wrong with it if there is such a file."""
    try:
        head = _documents.unseal(_files.read_bytes(folder / "cell.json", _files.MAX_JSON_BYTES))
        kinds = {key: type(part) for key, part in head.items()}
        if kinds != {"place": str, "chunk": int, "fingerprint": str, "about": dict}:
            raise ValueError("it does not describe a cell")
    except FileNotFoundError:
        return None, None
    except Exception as error:
        return None, _files.blame(error)
    return head, None


def _verified(path: Path, place: str, chunk: int, fingerprint: str) -> Arrays:
    """A chunk's arrays, without its stamps. Raises: an exception of any type if it is not of this place and fingerprint."""
    arrays = _members(path)
    made_from, belongs = (arrays.pop(stamp, np.array(None)) for stamp in _STAMPS)
    if made_from.dtype.kind != "U" or belongs.dtype.kind != "U":
        raise ValueError("it does not say what it was made from")
    if made_from.shape or made_from.item() != fingerprint:
        raise ValueError("it was made under another fingerprint")
    first = _first(path.name)
    if belongs.shape or belongs.item() != f"{place}/{first}" or first % chunk:
        raise ValueError("its replicates belong elsewhere")
    if not arrays or any(a.shape[:1] != (chunk,) for a in arrays.values()):
        raise ValueError(f"it does not hold {chunk} replicates")
    return arrays


def _members(path: Path) -> Arrays:
    data = _files.read_bytes(path, MAX_CHUNK_BYTES)
    if f"{hashlib.sha256(data).hexdigest()[:16]}.npz" != path.name.partition("-")[2]:
        raise ValueError("its bytes do not match the digest in its name")
    return _unpack(data)


def _first(name: str) -> int:
    return int(name.partition("-")[0])


def _listed(schema: tuple[tuple[str, str, tuple[int, ...]], ...]) -> str:
    return ", ".join(f"{name} {dtype}{list(shape) if shape else ''}" for name, dtype, shape in schema)


def _short(part: Any) -> str:
    text = str(part)
    if re.fullmatch(r"[0-9a-f]{32,}", text):
        return text[:8]
    return text if len(text) <= 40 else f"{text[:37]}..."


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Which parts of two heads differ, in a few words; the fingerprint itself only if nothing else explains it."""
    before, after = ({**_flat(h["about"]), "place": h["place"], "chunk": h["chunk"]} for h in (old, new))
    keys = [k for k in {**after, **before} if before.get(k) != after.get(k)]
    parts = [f"{k} {_short(before.get(k, 'absent'))} -> {_short(after.get(k, 'absent'))}" for k in keys]
    if not parts:
        parts = [f"fingerprint {_short(old['fingerprint'])} -> {_short(new['fingerprint'])}"]
    return ", ".join(parts[:4]) + (f" and {len(parts) - 4} more" if len(parts) > 4 else "")


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for key, leaf in tree.items():
        leaves |= _flat(leaf, f"{prefix}{key}.") if isinstance(leaf, dict) else {f"{prefix}{key}": leaf}
    return leaves
