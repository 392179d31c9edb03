"""Strict JSON, digests of content, and the fingerprint of code."""

from __future__ import annotations

import ast
import enum
import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["code_fingerprint", "digest", "from_json", "packed", "render", "seal", "to_json", "unseal"]

_NOT_FINITE = re.compile(r"(text:)*(-?inf|nan)")


def to_json(obj: Any) -> Any:
    """What strict JSON can hold, from numbers, text, NumPy values, enums, mappings and sequences.

    inf, -inf and nan become the strings "inf", "-inf" and "nan"; a text that reads like one of them gets the
    prefix "text:", so that `from_json` gives back exactly what went in (tuples and arrays as lists).
    Raises: TypeError for anything else, or for a key that is not text.
    """
    if isinstance(obj, enum.Enum):
        return to_json(obj.value)
    if obj is None or isinstance(obj, (bool, int)):
        return obj
    if isinstance(obj, str):
        return f"text:{obj}" if _NOT_FINITE.fullmatch(obj) else str(obj)
    if isinstance(obj, (float, np.floating)):
        return float(obj) if math.isfinite(obj) else str(float(obj))
    if isinstance(obj, (np.bool_, np.integer)):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return to_json(obj.tolist())
    if isinstance(obj, (list, tuple)):
        return [to_json(v) for v in obj]
    if isinstance(obj, Mapping):
        if not all(isinstance(k, str) for k in obj):
            raise TypeError(f"to_json: keys must be text, got {', '.join(map(repr, obj))}.")
        return {str(k): to_json(v) for k, v in obj.items()}
    raise TypeError(f"to_json: {type(obj).__name__} cannot be stored as JSON.")


def from_json(obj: Any) -> Any:
    """The inverse of `to_json`: "inf", "-inf" and "nan" become numbers, one prefix "text:" is taken off."""
    if isinstance(obj, str) and _NOT_FINITE.fullmatch(obj):
        return obj.removeprefix("text:") if obj.startswith("text:") else float(obj)
    if isinstance(obj, list):
        return [from_json(v) for v in obj]
    if isinstance(obj, dict):
        return {k: from_json(v) for k, v in obj.items()}
    return obj


def digest(obj: Any) -> str:
    """SHA-256 of the object's canonical JSON, in hex; the order of keys does not count. Raises: as `to_json`."""
    return _digest(to_json(obj))


def _digest(body: Any) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def render(body: Any, indent: int | None = 1) -> bytes:
    """The text of a JSON value, one line if `indent` is None. Raises: ValueError for inf or nan."""
    return (json.dumps(body, indent=indent, allow_nan=False) + "\n").encode()


def packed(body: Any, width: int = 1200) -> bytes:
    """The text of a JSON value with a line for everything that fits in `width` characters. Raises: ValueError for inf or nan."""

    def lines(value: Any) -> str:
        text = json.dumps(value, separators=(",", ":"), allow_nan=False)
        if len(text) <= width or not isinstance(value, (dict, list)):
            return text
        if isinstance(value, list):
            return "[\n" + ",\n".join(map(lines, value)) + "\n]"
        return "{\n" + ",\n".join(f"{json.dumps(key)}:{lines(v)}" for key, v in value.items()) + "\n}"

    return (lines(body) + "\n").encode()


def seal(content: Any, indent: int | None = 1) -> bytes:
    """A JSON document that carries the digest of its own content. Raises: as `to_json`."""
    body = to_json(content)
    return render({"digest": _digest(body), "content": body}, indent)


def unseal(data: bytes, indent: int | None = 1) -> Any:
    """The content of a sealed document. Raises: an exception of any type if a bit is not as it was written."""
    document = json.loads(data)
    if render(document, indent) != data:  # 1e-06 and 1E-06 differ in one bit and mean the same
        raise ValueError("it is not as it was written")
    if document["digest"] != _digest(document["content"]):
        raise ValueError("its digest does not match its content")
    return from_json(document["content"])


def code_fingerprint(paths: Iterable[Path]) -> str:
    """SHA-256 over the syntax trees and relative names of Python files: what could change a number, nothing else.

    Comments, formatting and docstrings (any statement that is only a text) do not count, nor does the order of
    `paths`, nor where the innermost folder that holds them all lies.
    Raises: ValueError if there are no files; OSError or SyntaxError if one cannot be read.
    """
    files = sorted({os.path.abspath(p) for p in paths})
    if not files:
        raise ValueError("code_fingerprint: `paths` must name at least one file, got none.")
    root = os.path.commonpath([os.path.dirname(f) for f in files])
    return _digest({os.path.relpath(f, root): _tree(ast.parse(Path(f).read_bytes(), f)) for f in files})


def _tree(node: Any) -> Any:
    """A syntax tree as nested lists. Empty fields are left out: new Python versions add such, and dump differently."""
    if isinstance(node, list):
        return [_tree(n) for n in node if not _is_text(n)]
    if not isinstance(node, ast.AST):
        return f"{type(node).__name__} {node!r}"
    fields = {name: value for name, value in ast.iter_fields(node) if value is not None and value != []}
    if isinstance(node, ast.Constant):
        fields = {"value": node.value}  # without the prefix of u"..."
    if isinstance(node, ast.JoinedStr):  # Python 3.12 ends some f-strings with an empty text
        fields = {"values": [v for v in node.values if not (isinstance(v, ast.Constant) and v.value == "")]}
    return [type(node).__name__, *([name, _tree(value)] for name, value in fields.items())]


def _is_text(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
