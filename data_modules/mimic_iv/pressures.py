"""Turn charted readings of a pulmonary artery catheter into measurements: the rules, in SQL.

Every table keeps what a rule removed beside the rule's name, so that the flow can be counted.
"""

from typing import TYPE_CHECKING, Any

from data_modules.mimic_iv.list_checks import check_charted_ids
from data_modules.mimic_iv.rules import PressureRules
from data_modules.mimic_iv.tables import count, count_by
from lsemvae.core.errors import InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# MIMIC-IV d_items, with the LOINC terms they map to: 8440-0 systolic, 8385-7 diastolic, 8414-5
# mean pulmonary artery pressure, 75994-4 pulmonary artery wedge pressure.
ITEMS = {"220059": "spap", "220060": "dpap", "220061": "mpap", "223771": "pawp"}
CHART_COLUMNS = (
    "subject_id", "stay_id", "charttime", "itemid", "valuenum", "valueuom", "warning",
)  # fmt: skip

READINGS = """
CREATE TABLE readings AS
SELECT *,
    CASE
        WHEN subject_id IS NULL OR stay_id IS NULL THEN 'no_stay'
        WHEN charttime IS NULL THEN 'no_time'
        WHEN mmhg IS NULL OR NOT isfinite(mmhg) THEN 'no_number'
        WHEN unit IS DISTINCT FROM 'mmhg' THEN 'unit_not_mmhg'
        WHEN warned AND NOT {keep_warned} THEN 'warned'
        WHEN {out_of_range} THEN 'out_of_range'
        WHEN row_number() OVER (
            PARTITION BY subject_id, stay_id, charttime, item, mmhg, unit,
            warned AND NOT {keep_warned}
        ) > 1 THEN 'repeated'
    END AS fault
FROM (
    SELECT
        whole(subject_id) AS subject_id,
        whole(stay_id) AS stay_id,
        try_cast(charttime AS TIMESTAMP) AS charttime,
        CASE whole(itemid) {items} END AS item,
        try_cast(valuenum AS DOUBLE) AS mmhg,
        lower(replace(valueuom, ' ', '')) AS unit,
        coalesce(lower(whole(warning)) IN ('1', 'true', 't', 'yes', 'y'), false) AS warned
    FROM chartevents
    WHERE itemid IN ({itemids})
)
"""

# One row for each moment of a stay at which something was charted. Two values of one pressure at
# one moment give their median. Pressures of a faulty moment are empty; its wedge stays.
MOMENTS = """
CREATE TABLE moments AS
SELECT
    subject_id, stay_id, charttime, fault, pawp,
    CASE WHEN fault IS NULL THEN spap END AS spap,
    CASE WHEN fault IS NULL THEN mpap END AS mpap,
    CASE WHEN fault IS NULL THEN dpap END AS dpap
FROM (
    SELECT *,
        CASE
            WHEN coalesce(spap, mpap, dpap) IS NULL THEN 'none'
            WHEN spap IS NULL OR mpap IS NULL OR dpap IS NULL THEN 'incomplete'
            WHEN spap < mpap OR mpap < dpap THEN 'order'
        END AS fault
    FROM (
        SELECT
            subject_id, stay_id, charttime,
            median(mmhg) FILTER (item = 'spap') AS spap,
            median(mmhg) FILTER (item = 'mpap') AS mpap,
            median(mmhg) FILTER (item = 'dpap') AS dpap,
            median(mmhg) FILTER (item = 'pawp') AS pawp
        FROM readings WHERE fault IS NULL
        GROUP BY subject_id, stay_id, charttime
    )
)
"""

# Medians around every moment. A moment with a wedge is a measurement of all four pressures; a
# moment with the three others is one without a wedge.
MEASUREMENTS = """
CREATE TABLE windows AS
SELECT
    subject_id, stay_id, charttime,
    pawp IS NOT NULL AS has_wedge,
    mpap IS NOT NULL AS has_pressures,
    median(spap) OVER around AS spap_mmhg,
    median(mpap) OVER around AS mpap_mmhg,
    median(dpap) OVER around AS dpap_mmhg,
    median(pawp) OVER around AS pawp_mmhg,
    count(mpap) OVER around AS n_pressure_readings,
    count(pawp) OVER around AS n_wedge_readings
FROM moments
WINDOW around AS (
    PARTITION BY subject_id, stay_id ORDER BY charttime
    RANGE BETWEEN INTERVAL {seconds} SECONDS PRECEDING AND INTERVAL {seconds} SECONDS FOLLOWING
);
CREATE TABLE wedges AS
SELECT *,
    CASE
        WHEN n_pressure_readings < {min_readings} THEN 'too_few_pressures'
        WHEN pawp_mmhg > mpap_mmhg + {wedge_above_mean} THEN 'wedge_above_mean'
    END AS fault
FROM windows WHERE has_wedge;
CREATE TABLE measurements AS
SELECT * EXCLUDE (has_wedge, has_pressures, fault) FROM wedges WHERE fault IS NULL
UNION ALL
SELECT * EXCLUDE (has_wedge, has_pressures) REPLACE (NULL AS pawp_mmhg, 0 AS n_wedge_readings)
FROM windows
WHERE has_pressures AND n_pressure_readings >= {min_readings} AND NOT {require_wedge}
"""


def measure_pressures(
    connection: "DuckDBPyConnection", rules: PressureRules, *, require_wedge: bool
) -> dict[str, Any]:
    """Make the table `measurements` from the view `chartevents`.

    Args:
        connection: a database with that view.
        rules: what is kept and over which window medians are taken.
        require_wedge: keep measurements with a wedge pressure only.

    Returns:
        The flow: readings, moments and wedges, in all and by the rule that removed them.

    Raises:
        InputError: the chart holds none of the four pressures, or an id that is none.
    """
    connection.execute(_readings(rules))
    if not count(connection, "SELECT count(*) FROM readings"):
        raise InputError(
            f"chartevents holds no row with the itemids {', '.join(ITEMS)}; is it the table of "
            "MIMIC-IV's icu module?"
        )
    check_charted_ids(connection)
    connection.execute(MOMENTS)
    connection.execute(
        MEASUREMENTS.format(
            seconds=round(rules.window_hours * 3600),
            min_readings=rules.min_readings,
            wedge_above_mean=float(rules.wedge_above_mean_mmhg),
            require_wedge=require_wedge,
        )
    )
    return _flow(connection)


def charted_patients(connection: "DuckDBPyConnection") -> list[str]:
    """Return every patient of the table `readings`, sorted, whatever became of the readings."""
    query = "SELECT DISTINCT subject_id FROM readings WHERE subject_id IS NOT NULL ORDER BY 1"
    return [row[0] for row in connection.execute(query).fetchall()]


def _readings(rules: PressureRules) -> str:
    outside = [
        f"(item = '{name}' AND NOT mmhg BETWEEN {float(low)} AND {float(high)})"
        for name, (low, high) in rules.ranges.items()
    ]
    return READINGS.format(
        keep_warned=rules.keep_warned,
        out_of_range=" OR ".join(outside),
        items=" ".join(f"WHEN '{itemid}' THEN '{name}'" for itemid, name in ITEMS.items()),
        itemids=", ".join(f"'{itemid}', '{itemid}.0'" for itemid in ITEMS),
    )


def _flow(connection: "DuckDBPyConnection") -> dict[str, Any]:
    """Count what each rule removed."""
    readings: dict[str, Any] = {}
    for name in ITEMS.values():
        readings[name] = count_by(
            connection,
            f"SELECT coalesce(fault, 'kept'), count(*) FROM readings WHERE item = '{name}' "
            "GROUP BY ALL",
        )
    moments = "SELECT coalesce(fault, 'kept'), count(*) FROM moments WHERE fault IS DISTINCT FROM "
    return {
        "readings": readings,
        "pressure_moments": count_by(connection, moments + "'none' GROUP BY ALL"),
        "wedge_moments": count_by(
            connection, "SELECT coalesce(fault, 'kept'), count(*) FROM wedges GROUP BY ALL"
        ),
        "patients_charted": count(connection, "SELECT count(DISTINCT subject_id) FROM readings"),
        "patients_measured": count(
            connection, "SELECT count(DISTINCT subject_id) FROM measurements"
        ),
    }
