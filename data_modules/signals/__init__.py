"""Clean signals: filter, resample, find faults, make median beats."""
