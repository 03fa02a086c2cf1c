import importlib
import json
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
VARIANTS = ["plain", "plain tuned", "ours", "multichannel", "ours bf16"]


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch):
    """Return the program; it measures in this process, and peaks at tiny sizes."""
    monkeypatch.syspath_prepend(str(ROOT))
    program = importlib.import_module("benchmarks.step")

    def here(name: str, sizes, options):
        if name == program.PEAKS:
            return program.measure_peaks([64], 1000, 1)._asdict()
        return program.time_here(name, sizes, options)

    monkeypatch.setattr(program, "run_elsewhere", here)
    for setting in ("keep_freed_memory", "faster_float32_products"):
        monkeypatch.setattr(program, setting, lambda: True)
    return program


def tiny(out: Path, *variants: str) -> list[str]:
    sizes = ["--samples", "100", "--latent", "4", "--batch", "2", "3"]
    measured = [
        "--repeats",
        "1",
        "--steps",
        "1",
        "--threads",
        "1",
        "--patience",
        "0",
        "--variants",
        *variants,
    ]
    return [*sizes, *measured, "--out", str(out)]


def test_benchmark_writes_a_row_per_variant_and_batch_with_equal_loss(step, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    mark = f"made by python -m {step.command_of(VARIANTS)}"
    assert mark.endswith(
        "benchmarks.step --variants plain 'plain tuned' ours multichannel 'ours bf16'"
    )
    assert step.command_of(list(step.VARIANTS)) == "benchmarks.step"
    page.write_text(f"before <!-- {mark} --> old <!-- end --> after")
    step.main([*tiny(tmp_path / "reports" / "bench.json", *VARIANTS), "--page", str(page)])
    rows = json.loads((tmp_path / "reports" / "bench.json").read_text())
    assert [(r["variant"], r["batch"]) for r in rows] == [(n, b) for b in (2, 3) for n in VARIANTS]
    for plain, _, ours, multichannel, bf16 in (rows[:5], rows[5:]):
        assert plain["ratio_to_plain"] == 1
        for which in ("loss", "loss_after"):
            assert ours[which] == pytest.approx(plain[which], rel=1e-5)
            assert multichannel[which] != pytest.approx(plain[which], rel=1e-5)
            assert bf16[which] == pytest.approx(plain[which], rel=1e-2)
            assert bf16[which] != pytest.approx(plain[which], rel=1e-6)
        for row in (plain, ours, bf16):
            assert row["seconds"] > 0
            assert row["peak_rss_gb"] > 0
            assert row["gemm_share"] == pytest.approx(
                row["gflop"] / row["seconds"] / row["gemm_peak_gflops"]
            )
            assert row["bandwidth_share"] > 0
        assert plain["gflop"] == ours["gflop"] != multichannel["gflop"]
    table = (tmp_path / "reports" / "bench.md").read_text()
    assert table.strip() in page.read_text()
    assert "old" not in page.read_text()
    assert (
        sum(line.startswith(("| plain", "| ours", "| multi")) for line in table.splitlines()) == 10
    )


def test_benchmark_refuses_to_time_networks_that_compute_different_losses(
    step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = {"plain": 10.0, "ours": 10.01}

    def measured(name: str, *_):
        peaks = {"float32_gflops": 1.0, "bfloat16_gflops": 1.0, "bandwidth_gb_s": 1.0}
        return peaks if name == step.PEAKS else {"losses": [losses[name]], "steps": [[1.0, 0.0]]}

    monkeypatch.setattr(step, "run_elsewhere", measured)
    with pytest.raises(ValueError, match="equal weights"):
        step.main(tiny(tmp_path / "bench.json", "plain", "ours"))
    assert not (tmp_path / "bench.json").exists()


def test_a_compiler_that_fails_leaves_its_reason_in_the_row(
    step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = step.run_elsewhere
    broken = "ours compiled"
    monkeypatch.setattr(
        step,
        "run_elsewhere",
        lambda n, *a: {"reason": "no compiler"} if n == broken else here(n, *a),
    )
    step.main(tiny(tmp_path / "bench.json", "plain", "ours", broken))
    rows = json.loads((tmp_path / "bench.json").read_text())
    assert [row.get("reason") for row in rows] == 2 * [None, None, "no compiler"]
    assert "not run: no compiler" in (tmp_path / "bench.md").read_text()


def test_plain_and_ours_are_compared_always(step, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        step.main(tiny(tmp_path / "bench.json", "ours"))


@pytest.mark.parametrize("mixed", [False, True])
def test_products_and_memory_of_a_step_are_counted_by_hand(step, mixed: bool) -> None:
    """Batch 2, 64 samples (8 steps of 64 channels), 3 latent dimensions, published decoder."""
    cost = step.count_step(step.Sizes(2, 64, 3), "published", mixed=mixed)
    encoder = 12 * (32 * 3 * 16 + 16 * 48 * 32 + 8 * 96 * 64 + 512 * 6)
    decoder = 3 * 512 + 8 * 64 * 4 * 32 + 16 * 32 * 4 * 16 + 32 * 16 * 4
    assert cost.forward_flops == 2 * 2 * (encoder + decoder)
    of_signals = 12 * 32 * 3 * 16  # no gradient is asked for
    assert cost.backward_flops == 2 * cost.forward_flops - 2 * 2 * of_signals
    weights = 12 * (3 * 16 + 16 + 48 * 32 + 32 + 96 * 64 + 64 + 513 * 6)
    decoder_weights = 4 * 512 + 64 * 128 + 32 + 32 * 64 + 16 + 16 * 4 + 1
    gate = 13 * 7
    assert cost.parameters == weights + decoder_weights + gate
    assert cost.weight_bytes == 40 * cost.parameters
    signals = 2 * 12 * 64
    outputs = 2 * 12 * (32 * 16 + 16 * 32 + 8 * 64) + 2 * (8 * 64 + 16 * 32 + 32 * 16)
    width = 2 if mixed else 4
    assert cost.activation_bytes > (signals + outputs) * width


def test_the_plain_loop_has_the_optimiser_as_torch_comes(step) -> None:
    """Its defaults: one parameter after the other on a CPU, groups of them on a card."""
    chosen = step.VARIANTS["plain"].build(step.Sizes(2, 64, 3)).optimiser.defaults
    assert (chosen["foreach"], chosen["fused"]) == (None, None)


def test_peaks_are_the_best_of_all_turns(step) -> None:
    found = step.best([step.Peaks(1.0, 5.0, 2.0), step.Peaks(3.0, 4.0, 1.0)])
    assert found == step.Peaks(3.0, 5.0, 2.0)
    assert found.gflops("float32") == 3.0
    assert found.gflops("bfloat16") == 5.0


def test_a_measured_peak_is_a_rate_of_this_machine(step) -> None:
    found = step.measure_peaks([128], 100_000, 2)
    assert all(0.01 < figure < 1e6 for figure in found)


def test_products_of_many_seconds_are_not_timed(step, monkeypatch) -> None:
    hardware = importlib.import_module("benchmarks.hardware")
    tried: list[tuple[int, torch.dtype]] = []

    def product(n: int, dtype: torch.dtype, _: int) -> float:
        tried.append((n, dtype))
        return 0.5 if dtype == torch.bfloat16 else 50.0  # no instruction: 17 s at an edge of 2,048

    monkeypatch.setattr(hardware, "_product_gflops", product)
    assert hardware.measure_peaks(stream=1000, repeats=1).bfloat16_gflops == 0.5
    assert {n for n, dtype in tried if dtype == torch.bfloat16} == {512}
    assert {n for n, dtype in tried if dtype == torch.float32} == {512, 2048, 4096}


def test_mixed_precision_holds_half_of_the_activations(step) -> None:
    sizes = step.Sizes(64, 800, 2)
    whole, mixed = (step.count_step(sizes, "published", mixed=m) for m in (False, True))
    assert mixed.flops == whole.flops
    assert mixed.activation_bytes < 0.65 * whole.activation_bytes
    assert torch.is_autocast_enabled("cpu") is False
