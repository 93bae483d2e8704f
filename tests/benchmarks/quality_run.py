"""Links a data set whole: with Linkwright, with Splink by the same model, and with Splink's documented one."""

import logging
from pathlib import Path

import duckdb
import networkx as nx
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.progress import silent
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.engine.term_frequencies import frequency_fields
from linkwright.engine.thresholds import merging_threshold
from linkwright.warehouse.estimate import EstimateRequest, estimate_parameters
from linkwright.warehouse.group import group_records
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.linkage_map import read_map
from linkwright.warehouse.match import MatchRequest, match_records
from linkwright.warehouse.preflight import MatchLimits
from linkwright.warehouse.record_sources import RecordSources
from linkwright.warehouse.term_frequencies import build_term_frequencies
from tests.benchmarks.people_sets import People
from tests.integration.linking import grouping_of
from tests.integration.splink_conversion import splink_pairs

# the default of the setting Worker.Match.MaxBlockSize
MAX_BLOCK_SIZE = 5_000
TRAINING_RECALL = 0.6
MOST_RANDOM_PAIRS = 5e6
DOCUMENTED_PROBABILITY = 0.95


def default_of(people: People) -> MatchConfiguration:
    """Return the default match configuration of a data set's project."""
    return parse_match_configuration(default_match_definition(people.fields), people.fields)


def estimated_of(people: People, folder: Path) -> MatchConfiguration:
    """Return the default with parameters estimated from the records, and thresholds for merging."""
    request = EstimateRequest(
        new_records=people.records,
        held_records=(),
        ended=(),
        configuration=default_of(people),
        limits=EngineLimits(folder / "scratch", threads=2),
        max_block_size=MAX_BLOCK_SIZE,
    )
    result = estimate_parameters(request, silent)
    for proposed, estimated in zip(result.proposed["strategies"], result.strategies, strict=True):
        merging = merging_threshold(estimated.matches_count, result.records_count)
        proposed["match_threshold"] = max(merging, estimated.proposed_match_threshold)
        proposed["review_threshold"] = proposed["match_threshold"]
    return parse_match_configuration(result.proposed, people.fields)


def link(people: People, configuration: MatchConfiguration, folder: Path) -> list[int]:
    """Match and group all records in one run; returns the group of each, in order of record_id."""
    folder.mkdir()
    limits = EngineLimits(folder / "scratch", threads=2)
    matching = MatchRequest(
        sources=RecordSources(people.records, (), (), folder, "all", {}),
        configuration=configuration,
        target=folder / "pairs.parquet",
        parts_folder=folder / "parts",
        limits=limits,
        match_limits=MatchLimits(MAX_BLOCK_SIZE),
        term_frequencies=term_frequencies(people, configuration, folder),
    )
    match_records(matching, silent)
    grouping = grouping_of(matching, [], 1)
    group_records(grouping, silent)
    current = read_map(limits, [grouping.target])
    by_record = dict(zip(current.record_ids.tolist(), current.group_ids.tolist(), strict=True))
    return [by_record[record_id] for record_id in range(1, len(people.persons) + 1)]


def term_frequencies(people: People, configuration: MatchConfiguration, folder: Path) -> Path | None:
    """Count the term frequencies that a configuration asks for, if any."""
    fields = frequency_fields(configuration)
    if not fields:
        return None
    limits = EngineLimits(folder / "scratch")
    return build_term_frequencies(people.records, (), fields, folder / "frequencies.parquet", limits).path


def link_with_splink(people: People, configuration: MatchConfiguration, folder: Path) -> list[int]:
    """Let Splink predict with the same rules and model, and take connected components at the same threshold."""
    folder.mkdir()
    frequencies = term_frequencies(people, configuration, folder)
    pairs = splink_pairs(people.records, configuration, frequencies)
    (threshold,) = configuration.match_thresholds.values()
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(1, len(people.persons) + 1))
    graph.add_edges_from(pair for pair, scored in pairs.items() if scored.match_weight >= threshold)
    groups = [0] * len(people.persons)
    for number, component in enumerate(nx.connected_components(graph)):
        for record_id in component:
            groups[record_id - 1] = number
    return groups


def documented_splink(source: Path) -> tuple[list[int], list[str]]:
    """Link historical figures as Splink's documentation does ('Deduplicate 50k rows historical persons').

    Returns:
        The group and the true person of each record, in the same order.
    """
    logging.getLogger("splink").setLevel(logging.ERROR)
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE records AS SELECT *, first_name || ' ' || surname AS first_name_surname_concat "
            "FROM read_parquet(?)",
            [str(source)],
        )
        api = DuckDBAPI(con)
        linker = Linker(api.register("records"), documented_settings())
        train_as_documented(linker)
        predicted = linker.inference.predict(threshold_match_probability=0.2)
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
            predicted, threshold_match_probability=DOCUMENTED_PROBABILITY
        )
        rows = con.execute(
            f"SELECT dense_rank() OVER (ORDER BY cluster_id), cluster FROM {clusters.physical_name}"
        ).fetchall()
    return [group for group, _person in rows], [person for _group, person in rows]


def documented_settings() -> SettingsCreator:
    """Return the rules and comparisons of Splink's documentation."""
    return SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[
            block_on("substr(first_name,1,3)", "substr(surname,1,4)"),
            block_on("surname", "dob"),
            block_on("first_name", "dob"),
            block_on("postcode_fake", "first_name"),
            block_on("postcode_fake", "surname"),
            block_on("dob", "birth_place"),
            block_on("substr(postcode_fake,1,3)", "dob"),
            block_on("substr(postcode_fake,1,3)", "first_name"),
            block_on("substr(postcode_fake,1,3)", "surname"),
            block_on("substr(first_name,1,2)", "substr(surname,1,2)", "substr(dob,1,4)"),
        ],
        comparisons=[
            cl.ForenameSurnameComparison(
                "first_name", "surname", forename_surname_concat_col_name="first_name_surname_concat"
            ),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.PostcodeComparison("postcode_fake"),
            cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
            cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
        ],
        retain_intermediate_calculation_columns=True,
    )


def train_as_documented(linker: Linker) -> None:
    """Estimate the prior, u and m as Splink's documentation does."""
    linker.training.estimate_probability_two_random_records_match(
        [
            "l.first_name = r.first_name and l.surname = r.surname and l.dob = r.dob",
            """substr(l.first_name,1,2) = substr(r.first_name,1,2) and l.surname = r.surname
            and substr(l.postcode_fake,1,2) = substr(r.postcode_fake,1,2)""",
            "l.dob = r.dob and l.postcode_fake = r.postcode_fake",
        ],
        recall=TRAINING_RECALL,
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=MOST_RANDOM_PAIRS, seed=1)
    for rule in (block_on("first_name", "surname"), block_on("dob")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
