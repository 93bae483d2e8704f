"""Owns Person Keys: what an extraction shows instead of a group id, and what keeps one from meaning two persons.

A key follows from the server's secret, the Extraction Project, and the group. Group ids are given out anew after a
rollback; the epoch tells the later group with an id from the earlier one. Must not know where secrets are kept.

Source: SPEC sections 1 and 5 (Person Key); RFC 2104 (HMAC); docs/decisions/0016.
"""

import hashlib
import hmac
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

KEY_BYTES = 16
"""Of a Person Key: among 100 million persons, two share one with a probability of 1.5e-23."""
_BLOCK_BYTES = 64
_INNER, _OUTER = 0x36, 0x5C
_PURPOSE = b"linkwright person keys, Extraction Project "
_CHECK_PURPOSE = b"linkwright fingerprint of a secret"
_CHECK_CHARACTERS = 16


class Floor(NamedTuple):
    """From this group id on, ids were given out anew by whatever followed the job `epoch`."""

    group_id: int
    epoch: int


def with_floor(floors: Iterable[Floor], next_group_id: int, job_id: int) -> list[Floor]:
    """Return the floors of a project after a rollback.

    Args:
        floors: those before, ascending.
        next_group_id: the first free group id after the rollback.
        job_id: of the rollback; later ones have greater ids.

    Returns:
        Ascending by group id and by epoch: a floor hides the earlier ones at or above it.
    """
    return [*(floor for floor in floors if floor.group_id < next_group_id), Floor(next_group_id, job_id)]


def epoch_of(group_id: int, floors: Sequence[Floor]) -> int:
    """Return the epoch of a group: that of the last floor at or below its id, else 0."""
    return next((floor.epoch for floor in reversed(floors) if floor.group_id <= group_id), 0)


def epoch_sql(column: str, floors: Sequence[Floor]) -> str:
    """Return `epoch_of` as an SQL expression (BIGINT) over a column of group ids."""
    cases = "".join(
        f" WHEN {column} >= {int(floor.group_id)} THEN {int(floor.epoch)}" for floor in reversed(floors)
    )
    return f"CAST(CASE{cases} ELSE 0 END AS BIGINT)" if cases else "CAST(0 AS BIGINT)"


def extraction_key(secret: bytes, extraction_project: UUID) -> bytes:
    """Return the key of one Extraction Project: without the secret it says nothing about any other one's."""
    return hmac.digest(secret, _PURPOSE + extraction_project.bytes, "sha256")


def secret_fingerprint(secret: bytes) -> str:
    """Return a text by which a secret is recognised, and from which it cannot be worked out."""
    return hmac.digest(secret, _CHECK_PURPOSE, "sha256").hex()[:_CHECK_CHARACTERS]


class PersonKeys:
    """Makes the Person Keys of one Extraction Project.

    Args:
        key: as `extraction_key` returns it, of at most 64 bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK_BYTES:
            raise ValueError(f"a key of {len(key)} bytes; at most {_BLOCK_BYTES} are allowed")
        # HMAC by hand: both pads are hashed once for all groups, which makes it twice as fast
        padded = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ _INNER for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ _OUTER for byte in padded))

    def of(self, group_id: int, epoch: int) -> str:
        """Return the key of a group: 32 lower-case hexadecimal digits.

        HMAC-SHA-256 of epoch and group id (each 8 bytes, big-endian), cut to 128 bits.
        """
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(struct.pack(">QQ", epoch, group_id))
        outer.update(inner.digest())
        return outer.hexdigest()[: 2 * KEY_BYTES]
