"""Person Keys: as RFC 2104 says, apart for each Extraction Project, and never for two persons."""

import hmac
import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkwright.engine.masking import (
    Floor,
    PersonKeys,
    epoch_of,
    epoch_sql,
    extraction_key,
    secret_fingerprint,
    with_floor,
)

SECRET = bytes(range(32))
STUDY, OTHER = UUID(int=1), UUID(int=2)
IDS = st.integers(0, 2**63 - 1)


@given(key=st.binary(max_size=64), group_id=IDS, epoch=IDS)
def test_a_key_is_hmac_sha256_of_epoch_and_group_cut_to_128_bits(key: bytes, group_id: int, epoch: int) -> None:
    expected = hmac.digest(key, struct.pack(">QQ", epoch, group_id), "sha256")[:16].hex()
    assert PersonKeys(key).of(group_id, epoch) == expected


def test_a_known_key_stays_what_it_is() -> None:
    # keys that were given out must be made again by every later version
    assert PersonKeys(extraction_key(SECRET, STUDY)).of(42, 0) == "4585473906b53a2d8ba3e176b9415062"


def test_a_key_longer_than_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 64"):
        PersonKeys(bytes(65))


@given(group_id=IDS)
def test_extraction_projects_secrets_and_epochs_each_make_another_key(group_id: int) -> None:
    one = PersonKeys(extraction_key(SECRET, STUDY))
    keys = {
        one.of(group_id, 0),
        one.of(group_id, 1),
        PersonKeys(extraction_key(SECRET, OTHER)).of(group_id, 0),
        PersonKeys(extraction_key(bytes(32), STUDY)).of(group_id, 0),
    }
    assert len(keys) == 4


def test_a_fingerprint_tells_secrets_apart_and_is_part_of_no_key() -> None:
    assert secret_fingerprint(SECRET) != secret_fingerprint(bytes(32))
    assert secret_fingerprint(SECRET) not in extraction_key(SECRET, STUDY).hex()


def test_the_last_floor_at_or_below_a_group_is_its_epoch() -> None:
    floors = with_floor(with_floor([], 10, 7), 20, 8)
    assert floors == [Floor(10, 7), Floor(20, 8)]
    assert [epoch_of(group_id, floors) for group_id in (9, 10, 19, 20, 99)] == [0, 7, 7, 8, 8]
    assert with_floor(floors, 15, 9) == [Floor(10, 7), Floor(15, 9)]
    assert with_floor(floors, 10, 9) == [Floor(10, 9)]
    assert epoch_sql("g", floors) == "CAST(CASE WHEN g >= 20 THEN 8 WHEN g >= 10 THEN 7 ELSE 0 END AS BIGINT)"
    assert epoch_sql("g", []) == "CAST(0 AS BIGINT)"


@given(steps=st.lists(st.one_of(st.integers(1, 4), st.none()), max_size=30))
def test_no_id_is_given_out_twice_in_one_epoch_and_no_group_changes_its_epoch(
    steps: list[int | None],
) -> None:
    """Groups are made, or (None) the newest are rolled back; each gets (id, epoch) once and for ever."""
    stack: list[list[int]] = []
    floors: list[Floor] = []
    given_out: set[tuple[int, int]] = set()
    standing: dict[int, tuple[int, int]] = {}
    for job_id, step in enumerate(steps, start=1):
        free = max(standing, default=0) + 1
        if step is None:
            for group_id in stack.pop() if stack else []:
                del standing[group_id]
            floors = with_floor(floors, max(standing, default=0) + 1, job_id)
        else:
            stack.append(list(range(free, free + step)))
            for group_id in stack[-1]:
                name = (group_id, epoch_of(group_id, floors))
                assert name not in given_out
                given_out.add(name)
                standing[group_id] = name
        assert all(epoch_of(group_id, floors) == name[1] for group_id, name in standing.items())
    assert floors == sorted(floors)
