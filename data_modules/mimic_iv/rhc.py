"""Choose one measurement and one ECG of each MIMIC-IV patient with a pulmonary artery catheter."""

from typing import TYPE_CHECKING, Any

from data_modules.mimic_iv.rules import EcgWindow
from data_modules.mimic_iv.tables import count
from lsemvae.core.errors import InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PATIENT_COLUMNS = ("subject_id", "gender", "anchor_age", "anchor_year")
ECG_COLUMNS = ("subject_id", "ecg_time", "path")
OTHER_WINDOWS_DAYS = (1, 3, 7, 30, 90)

# Of two recordings of one moment the first path stands for both, so that nothing hangs on order.
ECGS = """
CREATE TABLE ecgs AS
SELECT subject_id, ecg_time, min(path) AS path
FROM (
    SELECT whole(subject_id) AS subject_id, try_cast(ecg_time AS TIMESTAMP) AS ecg_time,
        trim(path) AS path
    FROM record_list
)
WHERE ecg_time IS NOT NULL AND path <> ''
    AND subject_id IN (SELECT subject_id FROM measurements)
GROUP BY subject_id, ecg_time
"""

# The nearest ECG at or before each measurement, and the nearest after it.
NEIGHBOURS = """
CREATE TABLE neighbours AS
SELECT m.*, e.path, e.ecg_time, epoch(m.charttime - e.ecg_time) / 86400 AS days
FROM measurements m ASOF JOIN ecgs e
    ON m.subject_id = e.subject_id AND m.charttime >= e.ecg_time
UNION ALL
SELECT m.*, e.path, e.ecg_time, epoch(m.charttime - e.ecg_time) / 86400 AS days
FROM measurements m ASOF JOIN ecgs e
    ON m.subject_id = e.subject_id AND m.charttime < e.ecg_time
"""

# A measurement with a wedge serves both tasks and is preferred; the first is the least treated;
# its nearest ECG is taken, of two equally near ones that before.
CHOSEN = """
CREATE TABLE chosen AS
SELECT * FROM neighbours
WHERE days BETWEEN -{days_after} AND {days_before}
QUALIFY row_number() OVER (
    PARTITION BY subject_id
    ORDER BY pawp_mmhg IS NULL, charttime, stay_id, abs(days), days DESC
) = 1
"""

COHORT = """
SELECT
    c.subject_id AS patient_id,
    c.path AS record,
    c.mpap_mmhg, c.pawp_mmhg, c.spap_mmhg, c.dpap_mmhg,
    try_cast(whole(p.anchor_age) AS INTEGER) + year(c.ecg_time)
        - try_cast(whole(p.anchor_year) AS INTEGER) AS age_years,
    trim(p.gender) AS sex,
    strftime(c.ecg_time, '%Y-%m-%d %H:%M:%S') AS ecg_date,
    strftime(c.charttime, '%Y-%m-%d %H:%M:%S') AS rhc_date,
    round(c.days, 3) AS ecg_to_rhc_days,
    c.n_pressure_readings, c.n_wedge_readings,
    c.stay_id
FROM chosen c LEFT JOIN patients p ON c.subject_id = whole(p.subject_id)
ORDER BY c.subject_id
"""


def match_ecgs(connection: "DuckDBPyConnection", window: EcgWindow) -> dict[str, Any]:
    """Make the table `chosen`: one measurement and one ECG of each patient.

    Args:
        connection: a database with the table `measurements` and the views `record_list` and
            `patients`.
        window: when the ECG may have been recorded.

    Returns:
        The flow: patients with an ECG, within the window, and within other windows.

    Raises:
        InputError: a patient is listed twice.
    """
    _check_patients(connection)
    connection.execute(ECGS)
    connection.execute(NEIGHBOURS)
    connection.execute(
        CHOSEN.format(days_before=float(window.days_before), days_after=float(window.days_after))
    )
    return _flow(connection)


def read_cohort(connection: "DuckDBPyConnection") -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the names of the columns and the rows of the cohort, sorted by patient."""
    result = connection.execute(COHORT)
    return [column[0] for column in result.description or ()], result.fetchall()


def _check_patients(connection: "DuckDBPyConnection") -> None:
    twice = connection.execute(
        "SELECT whole(subject_id) AS subject FROM patients GROUP BY subject HAVING count(*) > 1 "
        "ORDER BY subject LIMIT 1"
    ).fetchone()
    if twice:
        raise InputError(f"patients lists subject {twice[0]} more than once; expected one row each")


def _flow(connection: "DuckDBPyConnection") -> dict[str, Any]:
    nearest = "SELECT min(days) AS days FROM neighbours WHERE days >= 0 GROUP BY subject_id"
    by_days = {
        str(days): count(connection, f"SELECT count(*) FROM ({nearest}) WHERE days <= {days}")
        for days in OTHER_WINDOWS_DAYS
    }
    return {
        "ecgs_without_time": count(
            connection,
            "SELECT count(*) FROM record_list WHERE try_cast(ecg_time AS TIMESTAMP) IS NULL",
        ),
        "patients_with_ecg": count(connection, "SELECT count(DISTINCT subject_id) FROM ecgs"),
        "patients_by_days_before": by_days,
        "patients_in_cohort": count(connection, "SELECT count(*) FROM chosen"),
        "patients_with_wedge": count(connection, "SELECT count(pawp_mmhg) FROM chosen"),
        "patients_unlisted": count(
            connection,
            "SELECT count(*) FROM chosen c LEFT JOIN patients p "
            "ON c.subject_id = whole(p.subject_id) WHERE p.subject_id IS NULL",
        ),
    }
