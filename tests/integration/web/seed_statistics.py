"""Statistics and plots in the shapes that the jobs write, with plausible numbers."""

from typing import Any

from linkwright.engine.charts import completeness_plot, drawn_plot, group_sizes_plot, weights_plot
from linkwright.store.models import JobKind

_RULES = (
    ("surname, birth date", 412_880, 39_411),
    ("given name, birth date", 288_102, 12_730),
    ("surname soundex, sex, birth year", 391_740, 8_214),
    ("postcode, given name, birth month", 111_596, 1_547),
)
_BLOCKS = (("S530 | F | 1984", 212), ("B650 | M | 1979", 187), ("W425 | F | 1991", 143))
_SIZES = ((1, 612_004), (2, 121_880), (3, 28_114), (4, 6_402), (5, 1_377), (6, 290), (7, 61), (8, 9))
_FIELDS = (
    ("given_name", 47_990, 0, 9_120),
    ("surname", 48_180, 0, 17_402),
    ("birth_date", 48_003, 12, 15_833),
    ("sex", 48_213, 3, 2),
    ("postcode", 44_718, 0, 1_204),
)
_MATCH_THRESHOLD, _REVIEW_THRESHOLD = 9.0, 3.0


def _weights() -> list[dict[str, int]]:
    rows = []
    for weight in range(-12, 32):
        scored = 40 + int(160_000 / (1 + abs(weight + 7) ** 1.6)) + int(8_800 / (1 + abs(weight - 19) ** 1.4))
        rows.append(
            {
                "weight": weight,
                "scored_pairs_count": scored,
                "kept_pairs_count": scored if weight >= _REVIEW_THRESHOLD else 0,
            }
        )
    return rows


def _stages(*stages: tuple[str, float]) -> list[dict[str, Any]]:
    return [{"stage": stage, "seconds": seconds} for stage, seconds in stages]


STATISTICS: dict[JobKind, dict[str, Any]] = {
    JobKind.VALIDATE: {
        "files_count": 2,
        "files": [
            {
                "file": f"{name}.csv",
                "event_type": name.upper(),
                "format": "FlatFile",
                "size_bytes": size_bytes,
                "sha256": f"{size_bytes:064x}",
            }
            for name, size_bytes in (("births", 4_812_004), ("hosp", 9_120_448))
        ],
    },
    JobKind.LOAD: {
        "file": "births.csv",
        "event_type": "BIRTHS",
        "rows_read_count": 48_216,
        "rows_loaded_count": 48_213,
        "rows_rejected_count": 3,
        "rejected_by_reason": {"no Source Unique ID": 2, "wrong number of columns": 1},
        "bytes_read_count": 4_812_004,
        "fields": [
            {"field": name, "filled_count": filled, "invalid_count": invalid, "distinct_count": distinct}
            for name, filled, invalid, distinct in _FIELDS
        ],
    },
    JobKind.MATCH: {
        "match_configuration_version": 3,
        "new_records_count": 48_213,
        "held_records_count": 961_204,
        "candidate_pairs_count": 1_204_318,
        "kept_pairs_count": 61_902,
        "thresholds": [
            {
                "strategy": "standard",
                "match_threshold": _MATCH_THRESHOLD,
                "review_threshold": _REVIEW_THRESHOLD,
            }
        ],
        "rules": [
            {
                "strategy": "standard",
                "rule": rule,
                "candidate_pairs_count": candidates,
                "kept_pairs_count": kept,
                "skipped_blocks_count": 0,
                "skipped_pairs_count": 0,
            }
            for rule, candidates, kept in _RULES
        ],
        "largest_blocks": [
            {
                "strategy": "standard",
                "blocking_rule": 2,
                "rule": _RULES[2][0],
                "values": values,
                "records_count": count,
                "pairs_count": count * (count - 1) // 2,
            }
            for values, count in _BLOCKS
        ],
        "weight_histogram": _weights(),
        "stages": _stages(
            ("Counting candidate pairs", 0.42),
            ("Finding candidate pairs", 1.31),
            ("Scoring candidate pairs", 8.92),
            ("Writing pairs", 0.75),
        ),
    },
    JobKind.GROUP: {
        "groups_before_count": 741_003,
        "groups_after_count": 770_137,
        "accepted_pairs_count": 58_110,
        "new_groups_count": 29_260,
        "joined_records_count": 18_827,
        "merged_groups_count": 126,
        "regrouped_records_count": 281,
        "largest_group_size": 8,
        "flagged_groups_count": 2,
        "sizes": [{"group_size": size, "groups_count": count} for size, count in _SIZES],
        "flagged_groups": [
            {"group_id": 181_203, "event_type": "BIRTHS", "records_count": 2},
            {"group_id": 700_118, "event_type": "BIRTHS", "records_count": 3},
        ],
        "stages": _stages(("Finding components", 0.61), ("Writing assignments", 0.33)),
    },
    JobKind.REPORT: {"plots_count": 3},
}
PROJECT_NUMBERS: dict[str, Any] = {
    "records_count": 1_009_417,
    "groups_count": 770_137,
    "largest_group_size": 8,
    "flagged_groups_count": 2,
    "linking_rates": [
        {
            "event_type": one,
            "with_event_type": other,
            "records_count": count,
            "linked_count": linked,
            "linked_share": round(linked / count, 4),
        }
        for one, other, count, linked in (
            ("BIRTHS", "HOSP", 402_118, 311_040),
            ("HOSP", "BIRTHS", 607_299, 402_611),
            ("HOSP", "HOSP", 607_299, 288_102),
        )
    ],
}

ENVELOPE_NUMBERS: dict[str, Any] = {
    "records_count": 48_213,
    "rows_replaced_count": 0,
    "rows_skipped_count": 0,
    "rows_rejected_count": 3,
    "candidate_pairs_count": 1_204_318,
    "kept_pairs_count": 61_902,
    "new_groups_count": 29_260,
    "joined_records_count": 18_827,
    "merged_groups_count": 126,
    "completeness": [
        {"field": name, "filled_count": filled, "filled_share": round(filled / 48_213, 4)}
        for name, filled, _, _ in _FIELDS
    ],
    "drift": [
        {"measure": "surname filled", "envelope_share": 0.9993, "earlier_share": 0.9991, "is_marked": False},
        {"measure": "postcode filled", "envelope_share": 0.7275, "earlier_share": 0.9314, "is_marked": True},
        {"measure": "records linked", "envelope_share": 0.3931, "earlier_share": 0.3702, "is_marked": False},
    ],
}


PLOTS: list[dict[str, Any]] = [
    drawn_plot(plot)
    for plot in (
        weights_plot(_weights(), match_threshold=_MATCH_THRESHOLD, review_threshold=_REVIEW_THRESHOLD),
        group_sizes_plot([{"group_size": size, "groups_count": count} for size, count in _SIZES]),
        completeness_plot(
            [
                {
                    "field": name,
                    "envelope_share": round(filled / 48_213, 4),
                    "project_share": round(filled / 50_402, 4),
                }
                for name, filled, _, _ in _FIELDS
            ]
        ),
    )
]

# as much of engine.strategy's form as the pages read
MATCH_CONFIGURATION: dict[str, Any] = {
    "strategies": [
        {"name": "exact", "blocking_rules": [["surname", "given_name", "birth_date", "sex"]]},
        {
            "name": "standard",
            "match_threshold": _MATCH_THRESHOLD,
            "review_threshold": _REVIEW_THRESHOLD,
            "blocking_rules": [rule.split(", ") for rule, _, _ in _RULES],
            "comparisons": [{"field": name} for name, *_ in _FIELDS],
        },
    ]
}
