import pytest

from data_modules.cohort.day_counts import possible_days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("43831", ["a spreadsheet's number of days it is 2020-01-01"]),
        (
            "21915",
            [
                "the days of SAS or Stata since 1960 it is 2020-01-01",
                "the days of R since 1970 it is 2030-01-01",
            ],
        ),
        (
            "1577836800",
            [
                "seconds since 1970 it is 2020-01-01",
                "the seconds of SAS since 1960 it is 2009-12-31",
            ],
        ),
        ("1893456000000", ["milliseconds since 1970 it is 2030-01-01",
                           "the milliseconds of Stata since 1960 it is 2020-01-01"]),
        ("13797216000", ["the seconds of SPSS since 1582 it is 2020-01-01"]),
        ("1577836800000000000", ["nanoseconds since 1970 it is 2020-01-01"]),
        ("1.5778368e+15", ["microseconds since 1970 it is 2020-01-01"]),
        ("20200101", []),
        ("2020", []),
        ("999999999999999", []),
    ],
)  # fmt: skip
def test_days_that_a_number_may_mean_are_named(text: str, days: list[str]) -> None:
    assert possible_days(text) == " or ".join(f"as {one}" for one in days)
