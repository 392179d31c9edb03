"""The store's chunks: nothing damaged is used, nothing is mixed, what is missing is known."""

from __future__ import annotations

import errno
import hashlib
import io
import math
import os
import random
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sims import _store

CHUNK = 16
OLD, NEW = "a" * 64, "b" * 64
ABOUT = {"cell": {"n": 10, "noise": math.inf}, "versions": {"jax": "0.9"}, "code": OLD}
CELL = ("demo.thm1", "full", "n=10,noise=inf")


def draw(first, rows=CHUNK):
    rng = np.random.default_rng([7, first])
    return {
        "x": rng.normal(size=rows),
        "tie": rng.random(rows) < 0.5,
        "curve": rng.random((rows, 3), np.float32),
        "count": rng.integers(0, 9, rows, np.int32),
        "none": np.zeros((rows, 0)),
    }


def open_store(out, said, fingerprint=OLD, about=ABOUT, chunk=CHUNK, seed=0, cell=CELL):
    return _store.CellStore(out, *cell, seed, fingerprint=fingerprint, about=about, chunk=chunk, say=said.append)


def fill(store, upto):
    for first in store.missing(upto):
        store.append(first, draw(first))


def folder_of(out, seed=0):
    return Path(out, *CELL, f"seed={seed}")


def files_of(folder):
    """Name -> bytes of all that lies in a cell's folder itself."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}


def chunk_file(folder, first):
    (path,) = folder.glob(f"{first}-*.npz")
    return path


def assert_holds(store, upto):
    loaded = store.load()
    wanted = [draw(first) for first in range(0, upto, CHUNK)]
    assert sorted(loaded) == sorted(wanted[0])
    for name, values in loaded.items():
        expected = np.concatenate([w[name] for w in wanted])
        assert values.dtype == expected.dtype
        assert values.shape == expected.shape
        assert values.tobytes() == expected.tobytes()


def test_leftovers_of_dead_writers_are_swept_and_those_of_living_ones_are_not(tmp_path, monkeypatch):
    store = open_store(tmp_path, [])
    folder, names = folder_of(tmp_path), []
    with monkeypatch.context() as patch:  # see how a writer names its file here
        real = os.replace
        patch.setattr(os, "replace", lambda source, target: names.append(Path(source).name) or real(source, target))
        fill(store, CHUNK)
    host = names[0][1:9]
    assert names[0] == f".{host}-{os.getpid()}-{names[0][-12:]}"
    other = "0" * 8
    leftovers = {  # name -> (age in seconds, stays)
        f".{host}-{os.getpid()}-00000000.tmp": (0, True),
        f".{host}-{os.getpid()}-00000001.tmp": (90_000, False),
        f".{host}-4194305-00000000.tmp": (0, False),  # more than Linux ever gives
        f".{other}-4194305-00000000.tmp": (0, True),
        f".{other}-4194305-00000001.tmp": (90_000, False),
        ".somebody-elses.tmp": (90_000, True),
    }
    for name, (age, _) in leftovers.items():
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age,) * 2)
    said = []
    assert_holds(open_store(tmp_path, said), CHUNK)
    assert {name for name in leftovers if (folder / name).exists()} == {n for n, (_, s) in leftovers.items() if s}
    assert said == []


# ---- damage


def damage_and_recover(tmp_path, store, said, rng, damage, num_chunks=4):
    folder = folder_of(tmp_path)
    path = chunk_file(folder, CHUNK * rng.randrange(num_chunks))
    good = path.read_bytes()
    bad = damage(good)
    path.write_bytes(bad)
    first = int(path.name.split("-")[0])
    said.clear()
    quarantined = len(list(folder.glob("quarantine/*")))

    kept = store.load()
    assert (len(kept["x"]) if kept else 0) == first  # the prefix ends there
    assert len(said) == 1
    assert str(path) in said[0]
    assert "bad chunk" in said[0]
    assert "quarantine" in said[0]
    assert not path.exists()
    assert len(list(folder.glob("quarantine/*"))) == quarantined + 1
    assert max(folder.glob("quarantine/*"), key=lambda p: p.stat().st_ctime_ns).read_bytes() == bad
    assert store.missing(num_chunks * CHUNK) == [first]
    assert not store.has(first)
    store.append(first, draw(first))
    assert path.read_bytes() == good
    assert_holds(store, num_chunks * CHUNK)
    assert len(said) == 1


def test_200_flipped_bits_are_named_quarantined_and_recomputed(tmp_path):
    rng, said = random.Random(2), []
    store = open_store(tmp_path, said)
    fill(store, 4 * CHUNK)

    def flip(good):
        bad = bytearray(good)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        return bytes(bad)

    for _ in range(200):
        damage_and_recover(tmp_path, store, said, rng, flip)


def test_40_truncations_and_a_longer_file_are_named_quarantined_and_recomputed(tmp_path):
    rng, said = random.Random(3), []
    store = open_store(tmp_path, said)
    fill(store, 4 * CHUNK)
    damage_and_recover(tmp_path, store, said, rng, lambda good: b"")
    damage_and_recover(tmp_path, store, said, rng, lambda good: good + b"\0")
    for _ in range(39):
        damage_and_recover(tmp_path, store, said, rng, lambda good: good[: rng.randrange(len(good))])


def test_flipped_bits_in_cell_json_are_named_and_cost_no_chunk(tmp_path):
    rng = random.Random(4)
    fill(open_store(tmp_path, []), CHUNK)
    path = folder_of(tmp_path) / "cell.json"
    good = path.read_bytes()
    for _ in range(60):
        bad = bytearray(good)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        said = []
        store = open_store(tmp_path, said)
        assert len(said) == 1
        assert str(path) in said[0]
        assert "damaged" in said[0]
        assert path.read_bytes() == good
        assert store.has(0)
    assert len(list(folder_of(tmp_path).glob("quarantine/cell.json*"))) == 60


# ---- forgeries: the digest in the name is right, the content is not


def zipped(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def npy(array, allow_pickle=False):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def npy_header(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def chunk_with(first=3 * CHUNK, fingerprint=OLD, place=None, compression=zipfile.ZIP_STORED, extra=(), **arrays):
    """A chunk file's bytes as the store would write them for (3 * CHUNK, draw), but for what is asked otherwise."""
    place = f"{'/'.join(CELL)}/seed=0/{first}" if place is None else place
    members = {**draw(first), **arrays, "_fingerprint": np.array(fingerprint), "_place": np.array(place)}
    members = {name: a for name, a in sorted(members.items()) if a is not None}
    files = [(f"{name}.npy", a if isinstance(a, bytes) else npy(a)) for name, a in members.items()]
    return zipped([*files, *extra], compression)


def lying_size(data, size):
    """The first member's sizes in the central directory and its own header, set to `size`."""
    edited = bytearray(data)
    for signature, at in ((b"PK\x03\x04", 18), (b"PK\x01\x02", 20)):
        start = data.index(signature) + at
        edited[start : start + 8] = size.to_bytes(4, "little") * 2
    return bytes(edited)


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\n"
FORGERIES = {
    "no zip": (b"not a zip file", "not a zip"),
    "empty": (b"", "not a zip"),
    "another schema": (zipped([("loss.npy", npy(np.zeros(CHUNK)))]), "does not say"),
    "other arrays": (chunk_with(x=None, loss=np.zeros(CHUNK)), "not of the same kind"),
    "another dtype": (chunk_with(x=np.zeros(CHUNK, np.float32)), "not of the same kind"),
    "other rows": (chunk_with(curve=np.zeros((CHUNK, 4), np.float32)), "not of the same kind"),
    "other length": (chunk_with(x=np.zeros(CHUNK - 1)), "does not hold 16"),
    "a number": (chunk_with(x=np.float64(1)), "does not hold 16"),
    "no arrays": (chunk_with(x=None, tie=None, curve=None, count=None, none=None), "does not hold 16"),
    "huge shape": (chunk_with(x=npy_header(HUGE) + b"\0" * 64), "another size"),
    "compressed": (chunk_with(x=np.zeros(10**7), compression=zipfile.ZIP_DEFLATED), "compressed member"),
    "lying sizes": (lying_size(chunk_with(), 2**31), "larger than the file"),
    "many members": (chunk_with(extra=[(f"{i}.npy", b"") for i in range(60)]), "67 members"),
    "pickle": (chunk_with(x=npy(np.array([{}] * CHUNK, object), allow_pickle=True)), "no plain array header"),
    "records": (chunk_with(x=np.zeros(CHUNK, [("a", "f8")])), "no plain array header"),
    "complex": (chunk_with(x=np.zeros(CHUNK, complex)), "dtype <c16"),
    "text": (chunk_with(x=np.zeros(CHUNK, "U3")), "dtype <U3"),
    "code": (chunk_with(x=npy_header("{'shape': __import__('os').abort()}\n")), "no plain array header"),
    "no npy": (chunk_with(x=b"numbers"), "no plain array header"),
    "a stray file": (chunk_with(extra=[("run.sh", b"")]), "is no array"),
    "no fingerprint": (chunk_with(fingerprint=np.zeros(3)), "does not say"),
    "other fingerprint": (chunk_with(fingerprint=NEW), "another fingerprint"),
    "many fingerprints": (chunk_with(fingerprint=[OLD, OLD]), "another fingerprint"),
    "another seed": (chunk_with(place=f"{'/'.join(CELL)}/seed=1/48"), "belong elsewhere"),
    "other replicates": (chunk_with(first=4 * CHUNK), "belong elsewhere"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_chunk_is_refused_with_a_sentence(tmp_path, forgery):
    data, reason = FORGERIES[forgery]
    said = []
    store = open_store(tmp_path, said)
    fill(store, 3 * CHUNK)
    path = folder_of(tmp_path) / f"48-{hashlib.sha256(data).hexdigest()[:16]}.npz"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        assert_holds(store, 3 * CHUNK)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(data) + 1_000_000  # refused before anything is allocated
    finally:
        tracemalloc.stop()
    assert len(said) == 1
    assert str(path) in said[0]
    assert reason in said[0]
    assert (folder_of(tmp_path) / "quarantine" / path.name).read_bytes() == data
    assert store.missing(4 * CHUNK) == [48]
    fill(store, 4 * CHUNK)
    assert_holds(store, 4 * CHUNK)


def test_the_forgeries_start_from_a_chunk_the_store_itself_accepts(tmp_path):
    said = []
    store = open_store(tmp_path, said)
    fill(store, 3 * CHUNK)
    data = chunk_with()
    (folder_of(tmp_path) / f"48-{hashlib.sha256(data).hexdigest()[:16]}.npz").write_bytes(data)
    assert_holds(store, 4 * CHUNK)
    assert said == []


def test_a_chunk_that_starts_between_chunks_is_refused(tmp_path):
    said = []
    store = open_store(tmp_path, said)
    data = chunk_with(first=8)
    (folder_of(tmp_path) / f"8-{hashlib.sha256(data).hexdigest()[:16]}.npz").write_bytes(data)
    assert store.load() == {}
    assert len(said) == 1
    assert "belong elsewhere" in said[0]


def test_one_odd_first_chunk_does_not_condemn_the_others(tmp_path):
    said = []
    store = open_store(tmp_path, said)
    fill(store, 3 * CHUNK)
    chunk_file(folder_of(tmp_path), 0).unlink()
    data = chunk_with(first=0, x=np.zeros(CHUNK, np.float32))
    path = folder_of(tmp_path) / f"0-{hashlib.sha256(data).hexdigest()[:16]}.npz"
    path.write_bytes(data)
    assert store.load() == {}
    assert len(said) == 1
    assert str(path) in said[0]
    fill(store, 3 * CHUNK)
    assert_holds(store, 3 * CHUNK)


def test_a_chunk_that_may_not_be_read_is_left_where_it_is(tmp_path, monkeypatch):
    said = []
    store = open_store(tmp_path, said)
    fill(store, CHUNK)
    real = os.open

    def refuse(path, *args):
        if str(path).endswith(".npz"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path, *args)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(_store.StoreError, match=r"Could not read .*0-.*npz: Permission denied"):
            store.load()
    assert_holds(store, CHUNK)
    assert said == []


def test_links_folders_and_pipes_named_like_chunks_are_moved_away_unread(tmp_path):
    said = []
    store = open_store(tmp_path, said)
    fill(store, 3 * CHUNK)
    folder = folder_of(tmp_path)
    outside = tmp_path / "outside.npz"
    outside.write_bytes(chunk_with())
    name = f"48-{hashlib.sha256(outside.read_bytes()).hexdigest()[:16]}.npz"
    for make, reason in (
        (lambda: (folder / name).symlink_to(outside), "symbolic link"),
        (lambda: (folder / name).mkdir(), "not a regular file"),
        (lambda: os.mkfifo(folder / name), "not a regular file"),
    ):
        make()
        said.clear()
        assert_holds(store, 3 * CHUNK)
        assert len(said) == 1
        assert name in said[0]
        assert reason in said[0]
        assert not os.path.lexists(folder / name)
    assert outside.read_bytes() == chunk_with()
    assert len(list((folder / "quarantine").iterdir())) == 3


# ---- chunks


def test_a_hole_ends_the_prefix_and_later_chunks_count_once_it_is_filled(tmp_path):
    said = []
    store = open_store(tmp_path, said)
    assert store.load() == {}
    assert store.missing(CHUNK + 1) == [0, CHUNK]
    assert store.missing(0) == []
    for first in (3 * CHUNK, CHUNK, 0):
        store.append(first, draw(first))
    assert_holds(store, 2 * CHUNK)
    assert store.missing(4 * CHUNK) == [2 * CHUNK]
    store.append(2 * CHUNK, draw(2 * CHUNK))
    assert_holds(open_store(tmp_path, said), 4 * CHUNK)
    assert said == []


def test_a_store_sees_what_another_one_has_finished(tmp_path):
    said = []
    one, two = open_store(tmp_path, said), open_store(tmp_path, said)
    one.append(0, draw(0))
    assert two.has(0)
    assert two.missing(2 * CHUNK) == [CHUNK]
    before = files_of(folder_of(tmp_path))
    two.append(0, dict(reversed(draw(0).items())))  # again, in another order
    assert files_of(folder_of(tmp_path)) == before
    assert said == []


def test_a_second_draw_with_other_numbers_is_told_and_not_stored(tmp_path):
    said = []
    store = open_store(tmp_path, said)
    fill(store, CHUNK)
    store.append(0, {**draw(0), "x": np.zeros(CHUNK)})
    assert len(said) == 1
    assert "replicates 0 to 15" in said[0]
    assert "other numbers" in said[0]
    assert_holds(store, CHUNK)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_chunks_with_the_same_replicates_all_processes_keep_the_same(tmp_path, order):
    folder, said = folder_of(tmp_path), []
    stores = [open_store(tmp_path, said) for _ in range(2)]
    draws = [draw(0), {**draw(0), "x": np.zeros(CHUNK)}][::order]
    stores[0].append(0, draws[0])
    mine = chunk_file(folder, 0)
    mine.rename(folder / "hidden")
    stores[1].append(0, draws[1])
    other = chunk_file(folder, 0)
    (folder / "hidden").rename(mine)
    for store in stores:
        assert store.has(0)
    assert list(folder.glob("*.npz")) == [min(mine, other)]
    assert len(said) == 1
    assert str(max(mine, other)) in said[0]
    assert "other numbers" in said[0]


@pytest.mark.parametrize(
    ("first", "arrays", "message"),
    [
        (3, draw(0), "first must be a multiple of chunk=16"),
        (-CHUNK, draw(0), "first must be a multiple of chunk=16"),
        (0, {}, "1 to 62 arrays"),
        (0, draw(0, CHUNK - 1), "must have chunk=16 rows"),
        (0, {"x": 1.0}, "must have chunk=16 rows"),
        (0, {"x": np.array([None] * CHUNK)}, "dtype"),
        (0, {"x": np.zeros(CHUNK, complex)}, "dtype"),
        (0, {"x": np.array(["a"] * CHUNK)}, "dtype"),
        (0, {"_place": np.zeros(CHUNK)}, "name must be plain"),
        (0, {"a/b": np.zeros(CHUNK)}, "name must be plain"),
    ],
)
def test_append_refuses_what_is_no_chunk(tmp_path, first, arrays, message):
    store = open_store(tmp_path, [])
    with pytest.raises(ValueError, match=message):
        store.append(first, arrays)
    assert not list(folder_of(tmp_path).glob("*.npz"))


def test_append_refuses_arrays_of_another_kind_than_those_stored(tmp_path):
    store = open_store(tmp_path, [])
    fill(store, CHUNK)
    with pytest.raises(_store.StoreError, match=r"x float32, those of the stored chunks .*x float64"):
        store.append(CHUNK, {**draw(CHUNK), "x": np.zeros(CHUNK, np.float32)})
    assert_holds(store, CHUNK)


def test_array_order_in_memory_does_not_reach_the_file(tmp_path):
    folders = []
    for name, change in (("c", np.ascontiguousarray), ("f", np.asfortranarray), ("big", lambda a: a.astype(">f4"))):
        store = open_store(tmp_path / name, [])
        store.append(0, {**draw(0), "curve": change(draw(0)["curve"])})
        assert_holds(store, CHUNK)
        folders.append(files_of(folder_of(tmp_path / name)))
    assert folders[0] == folders[1] == folders[2]


def test_long_names_are_shortened_and_stay_apart_and_paths_are_no_names(tmp_path):
    long = "k=" + "1" * 500
    for end in ("a", "b"):
        store = open_store(tmp_path, [], cell=("demo.thm1", "full", long + end))
        store.append(0, draw(0))
    names = [p.name for p in (tmp_path / "demo.thm1" / "full").iterdir()]
    assert len(names) == 2
    assert all(len(n) <= 200 and n.startswith("k=111") for n in names)
    for name in ("../up", "..", "a/b", "a\0b"):
        with pytest.raises(ValueError, match="cannot name a folder"):
            open_store(tmp_path, [], cell=("demo.thm1", "full", name))
    with pytest.raises(ValueError, match="chunk must be >= 1"):
        open_store(tmp_path, [], chunk=0)


# ---- stale chunks


def test_chunks_of_another_fingerprint_are_set_aside_with_the_reason(tmp_path):
    fill(open_store(tmp_path, []), 2 * CHUNK)
    before = files_of(folder_of(tmp_path))
    said = []
    new = {**ABOUT, "code": NEW, "versions": {"jax": "0.10"}, "x64": True}
    store = open_store(tmp_path, said, NEW, new)
    assert store.load() == {}
    assert store.missing(2 * CHUNK) == [0, CHUNK]
    assert len(said) == 1
    assert "2 stored chunks are stale" in said[0]
    assert "seed=0.stale-aaaaaaaa" in said[0]
    for part in ("code aaaaaaaa -> bbbbbbbb", "versions.jax 0.9 -> 0.10", "x64 absent -> True"):
        assert part in said[0]
    assert "cell.n" not in said[0]
    assert files_of(folder_of(tmp_path).with_name("seed=0.stale-aaaaaaaa")) == before

    fill(store, CHUNK)  # and back again: an older stale folder of the same name makes room
    said.clear()
    assert open_store(tmp_path, said).load() == {}
    assert len(said) == 1
    assert "1 stored chunk is stale" in said[0]
    said.clear()
    assert open_store(tmp_path, said, NEW).load() == {}
    assert said == []  # nothing was lost: the folder was empty
    assert not list((folder_of(tmp_path).with_name("seed=0.stale-aaaaaaaa")).glob("*.npz"))


def test_an_unchanged_fingerprint_keeps_chunks_whatever_else_is_said(tmp_path):
    said = []
    fill(open_store(tmp_path, said), CHUNK)
    before = files_of(folder_of(tmp_path))
    assert_holds(open_store(tmp_path, said, about={**ABOUT, "versions": {"numpy": "9"}}), CHUNK)
    assert files_of(folder_of(tmp_path)) == before
    assert said == []


def test_another_chunk_length_makes_chunks_stale(tmp_path):
    said = []
    fill(open_store(tmp_path, said), CHUNK)
    assert open_store(tmp_path, said, chunk=8).load() == {}
    assert len(said) == 1
    assert "(chunk 16 -> 8)" in said[0]


def test_without_cell_json_the_chunks_speak_for_themselves(tmp_path):
    said = []
    fill(open_store(tmp_path, said), CHUNK)
    (folder_of(tmp_path) / "cell.json").unlink()
    assert_holds(open_store(tmp_path, said), CHUNK)
    assert said == []
    (folder_of(tmp_path) / "cell.json").unlink()
    assert open_store(tmp_path, said, NEW).load() == {}
    assert len(said) == 1
    assert "fingerprint aaaaaaaa -> bbbbbbbb" in said[0]


def test_a_store_whose_folder_was_set_aside_stops_and_touches_nothing(tmp_path):
    old = open_store(tmp_path, [])
    fill(old, CHUNK)
    said = []
    new = open_store(tmp_path, [], NEW)
    fill(new, CHUNK)
    before = files_of(folder_of(tmp_path))
    for use in (old.load, lambda: old.has(0), lambda: old.missing(CHUNK), lambda: old.append(CHUNK, draw(CHUNK))):
        with pytest.raises(_store.StoreError, match="another run"):
            use()
    assert files_of(folder_of(tmp_path)) == before
    assert_holds(open_store(tmp_path, said, NEW), CHUNK)
    assert said == []
