"""The store's documents: fingerprints of code, JSON, attempts and summaries."""

from __future__ import annotations

import json
import math
import random
import textwrap
from pathlib import Path

import numpy as np
import pytest

from sims import _store

OLD, NEW = "a" * 64, "b" * 64
CELL = ("demo.thm1", "full", "n=10,noise=inf")


# ---- fingerprints, JSON


@pytest.fixture
def code(tmp_path):
    """Writes theory/a.py and sims/a.py below a folder and returns their fingerprint."""

    def fingerprint(theory, sims="from theory import a\n", under="one", order=1):
        for package, text in (("theory", theory), ("sims", sims)):
            path = tmp_path / under / package / "a.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return _store.code_fingerprint([tmp_path / under / p / "a.py" for p in ("theory", "sims")][::order])

    return fingerprint


SOURCE = '''
    """Module."""
    def bound(n, delta=0.05):
        """Bound."""
        return (2 / n) ** 0.5 + delta
'''


def test_code_fingerprint_ignores_docstrings_comments_layout_and_place(code):
    plain = code(SOURCE)
    assert plain == code(SOURCE, order=-1) == code(SOURCE, under="two")
    assert plain == code('''
        # A comment.
        def bound(n,
                  delta=0.05):  # another
            """Longer.

            Words.
            """
            return (2/n)**0.5 + delta
    ''')


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.05", "0.06"),
        ("(2 /", "(2.0 /"),
        ("+ delta", "- delta"),
        ("n, delta", "n, *, delta"),
        ("/ n", "/ delta"),
        ("bound(", "limit("),
        ("return", "await_ ="),
    ],
)
def test_code_fingerprint_sees_every_change_that_could_reach_a_number(code, old, new):
    assert code(SOURCE) != code(SOURCE.replace(old, new))


def test_code_fingerprint_knows_which_file_says_what(code, tmp_path):
    assert code("x = 1\n", "y = 2\n") != code("y = 2\n", "x = 1\n")
    assert code("x = None\n") != code("x = 'None'\n") != code("x: None\n")
    assert code("x = 1\n") != code("x = True\n") != code("x = 1.0\n")
    with pytest.raises(ValueError, match="at least one file"):
        _store.code_fingerprint([])
    with pytest.raises(OSError, match=r"missing\.py"):
        _store.code_fingerprint([tmp_path / "missing.py"])


def test_code_fingerprint_is_frozen(tmp_path):
    # A new Python version or an edit of the store must not make all stored chunks stale unnoticed.
    (tmp_path / "a.py").write_text(
        "@f\nclass C(B, m=1):\n    'Doc.'\n    async def g(self, /, x=-1.5, *a, k: int = 2, **b) -> None:\n"
        "        return {**b, 1: [y for y in a if (z := y)]}, ..., f'{x!r:>{k}}', u'u', b'b', 1j, lambda: (yield)\n"
    )
    assert _store.code_fingerprint([tmp_path / "a.py"])[:16] == "e1c6fe9d8b2d07c8"


def test_json_gives_back_what_went_in_and_is_strict(tmp_path):
    tree = {
        "low": -math.inf,
        "high": math.inf,
        "x": [1, 2.5, -0.0, 1e-300, True, None, "text"],
        "words": ["inf", "-inf", "nan", "text:nan", "text:text:inf", "text:", "Infinity", "nano", "é\ud800"],
        "deep": {"big": 10**30, "": []},
    }
    again = _store.from_json(json.loads(json.dumps(_store.to_json(tree), allow_nan=False)))
    assert again == tree
    assert math.copysign(1, again["x"][2]) == -1
    assert again["x"][4] is True
    assert math.isnan(_store.from_json(_store.to_json(math.nan)))
    assert _store.to_json([math.inf, -math.inf, math.nan]) == ["inf", "-inf", "nan"]

    path = tmp_path / "new" / "data.json"
    _store.write_json_atomic(path, tree)

    def refuse(constant):
        raise AssertionError(constant)

    assert _store.from_json(json.loads(path.read_text(), parse_constant=refuse)) == tree
    assert [p.name for p in path.parent.iterdir()] == ["data.json"]


def test_a_written_document_has_a_line_for_each_row_and_breaks_only_what_is_long(tmp_path):
    rows = [{"cell": {"n": n}, "estimate": n / 3, "text": "x" * 700} for n in range(3)]
    _store.write_json_atomic(tmp_path / "data.json", {"schema": 1, "rows": rows, "word": "y" * 2000, "numbers": list(range(1000))})
    lines = (tmp_path / "data.json").read_text().splitlines()
    assert json.loads("\n".join(lines)) == {"schema": 1, "rows": rows, "word": "y" * 2000, "numbers": list(range(1000))}
    assert [json.loads(line.rstrip(",")) for line in lines if line.startswith('{"cell"')] == rows
    assert '"schema":1,' in lines
    assert lines[0] == "{"
    assert lines[-1] == "}"


def test_json_of_numpy_enums_and_tuples():
    from theory import _claims

    given = (np.float32(0.5), np.float64("inf"), np.int64(3), np.bool_(True), np.array([[1.0, np.nan]]))
    assert _store.to_json(given) == [0.5, "inf", 3, True, [[1.0, "nan"]]]
    assert _store.to_json({"v": _claims.Verdict.SUPPORTED}) == {"v": "SUPPORTED"}
    for wrong in ({1: 2}, {"a": object()}, b"bytes", {1, 2}):
        with pytest.raises(TypeError, match="to_json"):
            _store.to_json(wrong)


def test_digest_is_of_the_content():
    assert _store.digest({"a": 1, "b": [math.inf]}) == _store.digest({"b": (np.inf,), "a": np.int8(1)})
    assert len({_store.digest(o) for o in (1, 1.0, True, "1", None, [1], [], {}, math.nan, "nan")}) == 10


# ---- attempts, summaries


def test_attempts_count_distinct_seeds_of_one_fingerprint(tmp_path, capsys):
    def entry(seed, preset="default", fingerprint=OLD):
        return {"seed": seed, "preset": preset, "fingerprint": fingerprint, "versions": {"jax": "0.9"}}

    assert _store.count_attempts(tmp_path, *CELL, OLD) == 0
    for seed in (0, 0, np.int64(1), 1):  # interrupted and resumed: no second line
        _store.open_attempt(tmp_path, *CELL, entry(seed))
    assert _store.count_attempts(tmp_path, *CELL, OLD) == 2
    _store.open_attempt(tmp_path, *CELL, entry(0, preset="gpu"))
    _store.open_attempt(tmp_path, *CELL, entry(5, fingerprint=NEW))  # a moved margin
    assert _store.count_attempts(tmp_path, *CELL, OLD) == 2
    assert _store.count_attempts(tmp_path, *CELL, NEW) == 1
    assert _store.count_attempts(tmp_path, "demo.thm1", "full", "_grid", OLD) == 0

    path = Path(tmp_path, *CELL, "attempts.jsonl")
    before = path.read_bytes()
    for _ in range(2):
        _store.close_attempt(tmp_path, *CELL, entry(0), verdict="UNDECIDED", r_star=None, low=-math.inf, high=math.nan)
    _store.close_attempt(tmp_path, *CELL, entry(0), verdict="REFUTED", r_star=311, low=0.1, high=math.inf)
    assert path.read_bytes().startswith(before)
    assert path.read_bytes().count(b"\n") == 6
    records = _store.read_attempts(tmp_path, *CELL)
    assert [r["event"] for r in records] == ["open"] * 4 + ["close"] * 2
    assert records[-1]["verdict"] == "REFUTED"
    assert records[-1]["high"] == math.inf
    assert records[-1]["seed"] == 0
    assert records[0]["versions"] == {"jax": "0.9"}
    assert records[0]["cell"] == CELL[2]
    assert records[0]["time"]
    assert _store.count_attempts(tmp_path, *CELL, OLD) == 2
    assert capsys.readouterr().err == ""
    with pytest.raises(KeyError, match="preset"):
        _store.open_attempt(tmp_path, *CELL, {"seed": 0, "fingerprint": OLD})


def test_an_attempt_counts_by_its_ending_if_its_opening_is_damaged(tmp_path):
    entry = {"seed": 3, "preset": "default", "fingerprint": OLD}
    _store.open_attempt(tmp_path, *CELL, entry)
    _store.close_attempt(tmp_path, *CELL, entry, verdict="SUPPORTED", r_star=9, low=0.0, high=1.0)
    path = Path(tmp_path, *CELL, "attempts.jsonl")
    path.write_bytes(b"[1]\n{}\n" + path.read_bytes()[1:])
    said = []
    assert _store.count_attempts(tmp_path, *CELL, OLD, said.append) == 1
    assert [s.split("line ")[1][0] for s in said] == ["1", "2", "3"]


def test_summaries_are_kept_by_preset_and_seed_and_replaced_whole(tmp_path, capsys):
    cells = [{"low": -math.inf, "high": 0.5, "estimate": np.float64(0.25), "verdict": "SUPPORTED"}]
    assert list(_store.iter_summaries(tmp_path, "smoke", 0)) == []
    for claim in ("demo.thm2", "demo.thm1", "demo.thm1"):
        _store.write_summary(tmp_path, "smoke", 0, claim, {"claim": claim, "cells": cells})
    _store.write_summary(tmp_path, "smoke", 1, "demo.thm3", {})
    found = list(_store.iter_summaries(tmp_path, "smoke", 0))
    assert found == [(claim, {"claim": claim, "cells": cells}) for claim in ("demo.thm1", "demo.thm2")]
    path = tmp_path / "summaries" / "smoke" / "seed=0" / "demo.thm1.json"
    assert _store.read_summary(path)["cells"][0]["low"] == -math.inf

    path.with_name("copied.json").write_bytes((tmp_path / "summaries/smoke/seed=1/demo.thm3.json").read_bytes())
    assert [claim for claim, _ in _store.iter_summaries(tmp_path, "smoke", 0)] == ["demo.thm1", "demo.thm2"]
    assert "seed 1" in capsys.readouterr().err
    with pytest.raises(_store.StoreError, match=r"missing.json: No such file"):
        _store.read_summary(path.with_name("missing.json"))


def test_flipped_bits_in_attempts_are_named_and_cost_their_line_only(tmp_path):
    rng = random.Random(5)
    for seed in range(6):
        _store.open_attempt(tmp_path, *CELL, {"seed": seed, "preset": "smoke", "fingerprint": OLD})
    path = Path(tmp_path, *CELL, "attempts.jsonl")
    good = path.read_bytes()
    for _ in range(60):
        bad = bytearray(good)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        said = []
        # A flipped line end spoils the two lines it parted, a bit that makes one tears its line in two.
        assert 4 <= _store.count_attempts(tmp_path, *CELL, OLD, said.append) <= 5
        assert 1 <= len(said) <= 2
        assert all(str(path) in s and "damaged" in s for s in said)
    path.write_bytes(good)
    assert _store.count_attempts(tmp_path, *CELL, OLD) == 6


def test_flipped_bits_in_a_summary_are_refused(tmp_path):
    rng = random.Random(6)
    _store.write_summary(tmp_path, "smoke", 0, CELL[0], {"estimate": 1e-6, "verdict": "SUPPORTED"})
    _store.write_summary(tmp_path, "smoke", 0, "demo.thm2", {"estimate": 0.5})
    path = tmp_path / "summaries" / "smoke" / "seed=0" / f"{CELL[0]}.json"
    good = path.read_bytes()
    for _ in range(60):
        bad = bytearray(good)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        with pytest.raises(_store.StoreError, match="a rerun writes it again"):
            _store.read_summary(path)
        said = []
        assert [claim for claim, _ in _store.iter_summaries(tmp_path, "smoke", 0, said.append)] == ["demo.thm2"]
        assert len(said) == 1
        assert str(path) in said[0]
    path.write_bytes(good.replace(b"e-06", b"E-06"))  # one bit, the same number: not as it was written all the same
    with pytest.raises(_store.StoreError, match="not as it was written"):
        _store.read_summary(path)
