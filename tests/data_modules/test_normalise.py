from typing import Any

import numpy as np
import pytest
import torch

from data_modules.normalise import normalise
from lsemvae.core.leads import CHEST_LEADS, LEADS, LIMB_LEADS
from lsemvae.core.types import EcgBatch

KINDS = ("millivolt", "record", "lead")


def counts(leads: tuple[str, ...] = LEADS, *, seed: int = 0) -> EcgBatch:
    """Return int16 counts of 1/1000 mV with an offset and a spread of its own in each lead."""
    generator = np.random.default_rng(seed)
    spread, offset = generator.uniform(50, 900, (4, 12, 1)), generator.normal(0, 300, (4, 12, 1))
    ecg = np.rint(spread * generator.standard_normal((4, 12, 200)) + offset).astype(np.int16)
    present = generator.random((4, 12)) > 0.2
    present[:, 1] = True
    chosen = [LEADS.index(lead) for lead in leads]
    return EcgBatch(
        ecg=torch.from_numpy(ecg[:, chosen]),
        scale=torch.full((4, 1), 1e-3),
        present=torch.from_numpy(present[:, chosen]),
        leads=leads,
        label=torch.empty(0),
        record=["a", "b", "c", "d"],
        patient_id=["p", "p", "q", "r"],
    )


def as_mv(batch: EcgBatch) -> Any:
    return batch.ecg.numpy().astype(float) / 1000


def test_millivolt_only_changes_the_unit() -> None:
    batch = counts()
    ready = normalise(batch, "millivolt")
    expected = np.where(batch.present[..., None], as_mv(batch), 0.0)
    np.testing.assert_allclose(ready.ecg, expected, rtol=1e-6)
    assert (ready.scale == 1).all()


def test_lead_is_the_z_score_of_each_lead() -> None:
    batch = counts()
    ready = normalise(batch, "lead")
    mv, present = as_mv(batch), batch.present.numpy()
    z = (mv - mv.mean(-1, keepdims=True)) / mv.std(-1, keepdims=True)
    np.testing.assert_allclose(ready.ecg, np.where(present[..., None], z, 0.0), atol=1e-5)
    np.testing.assert_allclose(ready.scale[present], mv.std(-1)[present], rtol=1e-5)


@pytest.mark.parametrize("leads", [LEADS, LIMB_LEADS, ("V1", "II", "V4"), CHEST_LEADS])
def test_record_divides_by_the_pooled_deviation_of_the_limb_leads(leads: tuple[str, ...]) -> None:
    batch = counts(leads)
    batch.present[:, -1] = True
    ready = normalise(batch, "record")
    for record, mv in enumerate(as_mv(batch)):
        there = {lead: i for i, lead in enumerate(leads) if batch.present[record, i]}
        pooled = [i for lead, i in there.items() if lead in LIMB_LEADS] or list(there.values())
        sd = np.sqrt(np.mean([mv[i].var() for i in pooled]))
        for i in range(len(leads)):
            expected = (mv[i] - mv[i].mean()) / sd if i in there.values() else np.zeros(200)
            np.testing.assert_allclose(ready.ecg[record, i], expected, atol=1e-5)
        assert ready.scale[record].item() == pytest.approx(sd, rel=1e-5)


def test_record_gives_limb_leads_the_same_amplitudes_with_12_and_with_6_leads() -> None:
    twelve, six = normalise(counts(), "record"), normalise(counts(LIMB_LEADS), "record")
    assert torch.equal(twelve.ecg[:, :6], six.ecg)
    assert torch.equal(twelve.scale, six.scale)


def test_record_keeps_ratios_between_leads_and_lead_does_not() -> None:
    batch = counts()
    batch.present[:] = True
    true_ratio = as_mv(batch)[:, 0].std(-1) / as_mv(batch)[:, 8].std(-1)
    ratio = {how: normalise(batch, how).ecg[:, [0, 8]].std(-1, correction=0) for how in KINDS}
    for how in ("millivolt", "record"):
        found = ratio[how][:, 0] / ratio[how][:, 1]
        np.testing.assert_allclose(found, true_ratio, rtol=1e-4)
    np.testing.assert_allclose(ratio["lead"], 1.0, rtol=1e-4)


@pytest.mark.parametrize("how", KINDS)
def test_absent_leads_are_zero_and_change_no_other_lead(how: Any) -> None:
    batch = counts()
    spoilt = batch._replace(ecg=torch.where(batch.present[..., None], batch.ecg, 32767))
    ready, from_spoilt = normalise(batch, how), normalise(spoilt, how)
    assert (ready.ecg[~batch.present] == 0).all()
    assert torch.equal(ready.ecg, from_spoilt.ecg)


@pytest.mark.parametrize("how", KINDS)
def test_amplitudes_go_back_to_millivolt_by_the_scale(how: Any) -> None:
    batch = counts()
    ready = normalise(batch, how)
    mv = as_mv(batch)
    offset = mv.mean(-1, keepdims=True) if how != "millivolt" else 0.0
    back = (ready.ecg * ready.scale.unsqueeze(-1)).numpy() + offset
    present = batch.present.numpy()
    np.testing.assert_allclose(back[present], mv[present], atol=1e-5)
    assert ready.ecg.dtype == torch.float32


@pytest.mark.parametrize("how", KINDS)
def test_a_lead_that_hardly_moves_is_not_blown_up(how: Any) -> None:
    batch = counts()
    batch.ecg[:], batch.present[:] = 370, True
    batch.ecg[:, :, 50] += 1  # one count on a flat line
    ready = normalise(batch, how)
    assert torch.isfinite(ready.ecg).all()
    assert ready.ecg.abs().max() <= 1.0


def test_everything_else_travels_along() -> None:
    batch = counts()
    ready = normalise(batch, "record")
    assert (ready.record, ready.patient_id, ready.leads) == (batch.record, batch.patient_id, LEADS)
    assert torch.equal(ready.present, batch.present)
