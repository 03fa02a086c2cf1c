"""Measure the signals of exports for the rules of a study, each file once."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from data_modules.progress import counted_progress
from lsemvae.core.joblib_backend import joblib_backend

Measure = Callable[[Path, str], Any]


class SignalMeasures:
    """What rules found in signals; a recording is judged more than once and read once."""

    def __init__(self, source: Path, jobs: int = 1) -> None:
        """Begin with nothing read.

        Args:
            source: the folder of the recordings.
            jobs: processes that read signals; -1 takes one for each core.
        """
        self._source, self._jobs = source, jobs
        self._found: dict[tuple[Measure, str], Any] = {}

    def of(self, measure: Measure, paths: Iterable[str], text: str) -> list[Any]:
        """Return what a function of folder and path gives for each path.

        Args:
            measure: a function of a module, which names it.
            paths: below the folder.
            text: what is being done, for those who wait.
        """
        asked = list(paths)
        self._read(measure, [path for path in asked if (measure, path) not in self._found], text)
        return [self._found[measure, path] for path in asked]

    def _read(self, measure: Measure, paths: list[str], text: str) -> None:
        from joblib import Parallel, delayed

        if not paths:
            return
        with joblib_backend(self._jobs, None), counted_progress(text) as report:
            work = Parallel(return_as="generator")
            values = work(delayed(measure)(self._source, path) for path in paths)
            for n_done, (path, value) in enumerate(zip(paths, values, strict=True), 1):
                self._found[measure, path] = value
                report(n_done, len(paths))
