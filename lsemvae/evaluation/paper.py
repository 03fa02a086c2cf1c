"""AUROC of the paper's Table 2, for display beside ours."""

# (task, method) -> AUROC mean and SD with 12 and with 6 leads; Table 2.
AUROC = {
    ("detection", "ls_emvae"): ("0.852 ± 0.02", "0.814 ± 0.02"),
    ("detection", "multimodal_cnn"): ("0.681 ± 0.04", "0.656 ± 0.04"),
    ("phenotype", "ls_emvae"): ("0.890 ± 0.03", "0.863 ± 0.03"),
    ("phenotype", "multimodal_cnn"): ("0.545 ± 0.03", "0.554 ± 0.02"),
}


def paper_result(task: str, method: str, leads: str) -> str:
    """Return the paper's AUROC, or a dash where it has none."""
    if (task, method) not in AUROC or leads not in ("12L", "6L"):
        return "-"
    return AUROC[task, method][0 if leads == "12L" else 1]
