"""Lead numbers of SCP-ECG (EN 1064, table of section 3), in use in DICOM and ISO 11073 too."""

SCP_LEADS = {1: "I", 2: "II", 61: "III", 62: "aVR", 63: "aVL", 64: "aVF"}
SCP_LEADS |= {2 + k: f"V{k}" for k in range(1, 7)}
