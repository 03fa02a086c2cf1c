"""Name the leads by SCP-ECG's numbers (EN 1064, section 3), used in DICOM and 11073 too."""

SCP_LEADS = {1: "I", 2: "II", 61: "III", 62: "aVR", 63: "aVL", 64: "aVF"}
SCP_LEADS |= {2 + k: f"V{k}" for k in range(1, 7)}
