import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/roofline.md"


@pytest.fixture
def roofline(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.roofline")


def test_page_holds_what_the_program_computes(roofline, tmp_path: Path) -> None:
    written = tmp_path / "page.md"
    written.write_text(PAGE.read_text().replace("| TF32 | 8 |", "| TF32 | 9 |"))
    roofline.main(["--page", str(written)])
    assert written.read_text() == PAGE.read_text()


def test_a_page_without_a_place_for_the_tables_is_reported(roofline, tmp_path: Path) -> None:
    written = tmp_path / "page.md"
    written.write_text("nothing marked")
    with pytest.raises(ValueError, match="no place marked"):
        roofline.main(["--page", str(written)])


def test_a_step_on_an_a100_by_hand(roofline) -> None:
    """Published sizes: 256,157,961 parameters of the default gate and its decoder's 12 outputs."""
    gpu = roofline.GPUS[0]
    found = roofline.step_time(gpu, 128, mixed=False, n_gpus=8)
    parameters = roofline.cost(128, mixed=False).parameters
    linear = 12 * 40_000 * 512 + 256 * 40_000
    assert linear < parameters < 1.01 * linear + 12 * 40_000
    assert found.optimiser == pytest.approx(28 * parameters / 1.555e12)
    assert found.all_reduce == pytest.approx(2 * 7 / 8 * 4 * parameters / 300e9)
    assert found.matrix > 3 * 2 * 128 * linear / 156e12
    assert found.matrix < 1.5 * 3 * 2 * 128 * linear / 156e12
    assert found.total == max(found.matrix, found.memory) + found.optimiser + found.all_reduce


def test_products_grow_with_the_batch_and_the_optimiser_does_not(roofline) -> None:
    gpu = roofline.GPUS[2]
    small, large = (roofline.step_time(gpu, batch, mixed=True) for batch in (8, 128))
    assert large.matrix == pytest.approx(16 * small.matrix)
    assert large.optimiser == small.optimiser
    assert small.all_reduce == large.all_reduce == 0


def test_an_epoch_is_every_training_recording_once(roofline) -> None:
    steps = -(-720_031 // 1024)
    assert roofline.days(2.0, 128, 8) == pytest.approx(100 * steps * 2.0 / 86_400)


def test_what_the_page_says_of_the_tables_is_true(roofline) -> None:
    for gpu in roofline.GPUS:
        for batch, mixed in roofline.settings():
            steps = [roofline.step_time(gpu, batch, mixed=mixed, n_gpus=n) for n in (1, 8, 64)]
            assert all(step.bound != "matrix" for step in steps)
            alone, node, many = steps
            assert 0.5 < node.all_reduce / alone.total < 2
            assert many.all_reduce > 5 * alone.total
            float32 = roofline.step_time(gpu, batch, mixed=False)
            assert alone.total > 0.95 * float32.total
            counted = roofline.cost(batch, mixed=mixed)
            state = 16 * counted.parameters + counted.activation_bytes
            assert state < 40e9 / 7.5
    h100 = roofline.GPUS[2]
    node, many = (n * 8 / roofline.step_time(h100, 8, mixed=False, n_gpus=n).total for n in (8, 64))
    assert many < node
    assert roofline.RECORDS * roofline.RECORD_BYTES < 100e9


def test_the_activation_memory_that_the_step_page_states_is_the_counted_one(roofline) -> None:
    kept = roofline.cost(128, mixed=False).activation_bytes
    assert (
        f"{kept / 1e9:.2f} GB at batch 128 in float32" in (ROOT / "docs/performance.md").read_text()
    )
