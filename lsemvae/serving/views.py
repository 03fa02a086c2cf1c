"""Gather what each page shows."""

from collections.abc import Sequence

from data_modules.reading.read import FORMATS
from lsemvae.core.leads import LEADS
from lsemvae.predicting.outcome import RESULT, count_outcomes
from lsemvae.predicting.predictor import Predictor
from lsemvae.serving.hidden import Hidden
from lsemvae.serving.hidden_leads import hide_each_lead
from lsemvae.serving.hidden_waves import hide_each_wave
from lsemvae.serving.limits import MEBIBYTE, Limits
from lsemvae.serving.pages import page
from lsemvae.serving.recordings import Entry
from lsemvae.serving.spread import brief, doubt, spread
from lsemvae.serving.wording import findings_of, guess_text, next_step, reason, verdict
from lsemvae.serving.worklists import Worklist

BAR_WIDTH = 200.0  # of the drawing; the page scales it


class Views:
    """The pages of one model.

    Args:
        predictor: the model.
        limits: told to the reader of the page.
    """

    def __init__(self, predictor: Predictor, limits: Limits) -> None:
        self._predictor, self._limits = predictor, limits
        self.model = predictor.description

    def worklist(self, worklist: Worklist | None, order: str, *, ended: bool) -> str:
        """Return the first page.

        Args:
            worklist: None where there is none yet.
            order: `probability`, else by number.
            ended: whether the session had a list that is no more.
        """
        entries = worklist.entries if worklist else []
        rows = [(number, entry.row) for number, entry in enumerate(entries, 1)]
        if order == "probability":  # the highest first, then those without
            rows.sort(key=lambda one: -1.0 if one[1].probability is None else one[1].probability,
                      reverse=True)  # fmt: skip
        return page(
            "worklist",
            title="Worklist",
            rows=rows,
            order=order,
            counts=count_outcomes([entry.row for entry in entries]),
            ended=ended,
            verdict=verdict,
            reason=reason,
            brief=brief,
            limits=self._limits,
            mebibyte=MEBIBYTE,
            formats=", ".join(one.name for one in FORMATS),
            **self._of_model(),
        )

    def recording(self, entries: Sequence[Entry], number: int) -> str:
        """Return the page of one recording."""
        entry = entries[number - 1]
        row, model = entry.row, self.model
        scored = row.outcome == RESULT
        guess = guess_text(model.skill)
        asked = entry.loaded if scored and not guess else None
        hidden = hide_each_lead(self._predictor, asked) if asked else []
        waves = hide_each_wave(self._predictor, asked) if asked else []
        drawn = entry.present is not None
        return page(
            "recording",
            title=row.recording,
            number=number,
            n=len(entries),
            row=row,
            scored=scored,
            verdict=verdict(row),
            reason=reason(row),
            step=next_step(row),
            spread=spread(row, model) if scored else None,
            doubt="" if scored else doubt(row, model),
            findings=findings_of(entry),
            guess=guess,
            hidden=hidden,
            largest=_largest(hidden),
            waves=waves,
            largest_wave=_largest([one.hidden for one in waves]),
            qrs_asked=not model.finds_beats,
            drawn=drawn,
            absent=[lead for i, lead in enumerate(LEADS) if drawn and not entry.present[i]],  # type: ignore[index]
            width=BAR_WIDTH,
            **self._of_model(),
        )

    def about(self) -> str:
        """Return what the model says about itself."""
        return page("model", title="About the model", digest=self._predictor.digest,
                    **self._of_model())  # fmt: skip

    def _of_model(self) -> dict[str, object]:
        return {"model": self.model, "asked": self.model.task.positive}


def _largest(hidden: Sequence[Hidden]) -> float:
    """Return the largest change, 1 where there is none: bars are drawn relative to it."""
    return max((abs(one.moved) for one in hidden), default=0.0) or 1.0
