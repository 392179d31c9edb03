"""The store: replicates on disk that survive kills, full disks, flipped bits and a second run in the same folder.

    <out>/<claim>/<experiment>/<cell id>/attempts.jsonl         one line per opened or closed attempt, never edited
    <out>/<claim>/<experiment>/<cell id>/seed=<n>/cell.json     what the chunks were made from
    <out>/<claim>/<experiment>/<cell id>/seed=<n>/<first replicate>-<first 16 hex digits of the file's SHA-256>.npz
    <out>/<claim>/<experiment>/<cell id>/seed=<n>/quarantine/   what could not be trusted, kept for inspection
    <out>/summaries/<preset>/seed=<n>/<claim>.json

Nothing is trusted because it is there. A chunk counts once its bytes match the digest in its name, its arrays have
the declared shapes, and the fingerprint and place written inside it are those asked for. A JSON document counts
if it is, byte for byte, what would be written from its content, and its own digest agrees. All that is written
appears under its final name in one step, after it has reached the disk.
"""

from sims._store._cells import CellStore, holds_chunks
from sims._store._documents import code_fingerprint, digest, from_json, to_json
from sims._store._files import StoreError, write_json_atomic, write_text_atomic
from sims._store._merge import merge
from sims._store._records import (
    close_attempt,
    count_attempts,
    iter_summaries,
    open_attempt,
    read_attempts,
    read_summary,
    write_summary,
)

__all__ = [
    "CellStore",
    "StoreError",
    "close_attempt",
    "code_fingerprint",
    "count_attempts",
    "digest",
    "from_json",
    "holds_chunks",
    "iter_summaries",
    "merge",
    "open_attempt",
    "read_attempts",
    "read_summary",
    "to_json",
    "write_json_atomic",
    "write_summary",
    "write_text_atomic",
]
