"""Define the columns of a cohort table that are known: names, ranges, units, order."""

REQUIRED = ("record", "patient_id")
# Ranges that a living patient can reach; outside is a typing error or another unit.
NUMBER_RANGES = {
    "mpap_mmhg": (0.0, 150.0),
    "pawp_mmhg": (0.0, 80.0),
    "spap_mmhg": (0.0, 250.0),
    "dpap_mmhg": (0.0, 150.0),
    "age_years": (0.0, 120.0),
    "bsa_m2": (0.1, 4.0),
    "cardiac_output_l_min": (0.5, 25.0),
    "pvr_wu": (-5.0, 60.0),  # below 0 only by measurement error
    "pvr_dyn_s_cm5": (-400.0, 4800.0),
    "heart_rate_bpm": (10.0, 400.0),
}
NEVER_ZERO = ("mpap_mmhg", "spap_mmhg")  # and 0 is how files code a missing value
DATES = ("ecg_date", "rhc_date")
# (smaller, larger): a wedge above the mean pressure, say, is possible only by measurement error.
ORDERED = (
    ("pawp_mmhg", "mpap_mmhg"),
    ("dpap_mmhg", "mpap_mmhg"),
    ("mpap_mmhg", "spap_mmhg"),
)
OTHER_UNIT = {"pvr_wu": "; in dyn.s.cm-5 its name is pvr_dyn_s_cm5"}
RESERVED = ("signal_sha256",)

# not \d: wide and foreign digits match it, and pandas reads them as missing
NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
