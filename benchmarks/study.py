"""Walk from a folder of exports and a workbook to the report: `make study`.

Everything is invented and SYNTHETIC. The exit code is 1 where the flow is not what was planted, or
where a name, an id, a birth date, an address or a remark is found in a file that a command wrote.
"""

import argparse
import contextlib
import io
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.hospital import OPTIONS, write_hospital
from lsemvae.cli import main as lsemvae
from lsemvae.runtime.exit_code import exit_code


def commands(folder: Path, encoder: str, *more: str) -> list[list[str]]:
    """Return the commands of the walk.

    Args:
        folder: from `write_hospital`; results go to its `study/`.
        encoder: of `lsemvae cv`.
        more: arguments of `lsemvae cv`.
    """
    study, key = folder / "study", str(folder / "key")
    source, store = str(folder / "exports"), str(study / "cohort.h5")
    return [
        ["link", "--source", source, "--table", str(folder / "catheter.xlsx"),
         "--out", str(study), "--rules", str(folder / "rules.yaml"), "--key", key, *OPTIONS],
        ["prepare", "cohort", "--table", str(study / "cohort.csv"), "--source", source,
         "--pseudonyms", "--key", key, "--out", store, "--signal.sampling_rate_hz", "100"],
        ["cv", "--method", "ls_emvae_recommended", "--encoder", encoder, "--cohort", store,
         "--task", "detection", "--out", str(study / "runs"), *more],
        ["report", "--cv", str(study / "runs"), "--cohort", store,
         "--out", str(study / "report"), "--n_resamples", "500"],
    ]  # fmt: skip


def wrong_counts(folder: Path) -> list[str]:
    """Compare the flow with the truth; return a line for each count that differs."""
    flow = json.loads((folder / "study/flow.json").read_text())
    found = {step["text"]: step["n"] for step in flow["steps"]}
    found |= {one["reason"]: one["n"] for step in flow["steps"] for one in step["excluded"]}
    truth = json.loads((folder / "truth.json").read_text())
    return [f"{text}: planted {n}, the flow has {found.get(text, 0)}"
            for text, n in truth.items() if found.get(text, 0) != n]  # fmt: skip


def found_tokens(tokens: Sequence[str], folder: Path) -> list[str]:
    """Return `TOKEN in FILE` for each token in the content or the name of a file of a folder.

    Digits behind a decimal point are no id: a loss of 0.40431489 names nobody.
    """
    wanted = [(token, token.lower().encode()) for token in set(tokens) if token]
    found = []
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = f"{file.relative_to(folder)}\n".lower().encode() + file.read_bytes().lower()
            found += [f"{token} in {file}" for token, raw in wanted
                      if raw in content and not _is_fraction(raw, content)]  # fmt: skip
    return found


def _is_fraction(raw: bytes, content: bytes) -> bool:
    """Tell whether digits stand in a text nowhere but behind decimal points."""
    fraction = re.compile(rb"\d\.\d*" + raw)
    return raw.isdigit() and raw not in fraction.sub(b"", content)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the walk and compare it with the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("reports/study"))
    parser.add_argument("--n_files", type=int, default=900)
    parser.add_argument("--encoder", default="public")
    given = parser.parse_args(argv)
    codes: list[int] = []
    ended = exit_code(lambda: codes.append(walk(given.out, given.n_files, given.encoder)))
    return ended or codes[0]


def walk(folder: Path, n_files: int, encoder: str) -> int:
    """Type the commands of a study and compare what they made with what was planted."""
    write_hospital(folder, n_files=n_files)
    seconds, log = [], io.StringIO()
    for command in commands(folder, encoder):
        print("lsemvae", " ".join(command), flush=True)
        start = time.monotonic()
        with contextlib.redirect_stdout(log):
            code = lsemvae(command)
        seconds.append(round(time.monotonic() - start, 1))
        if code:
            return code
    (folder / "study/log.txt").write_text(log.getvalue())
    wrong = wrong_counts(folder)
    tokens = (folder / "tokens.txt").read_text().splitlines()
    print(f"looking for {len(tokens)} planted words in every file: minutes", flush=True)
    leaked = found_tokens(tokens, folder / "study")
    for line in [*wrong, *leaked[:20]]:
        print(line)
    print(f"SYNTHETIC walk: {n_files} files, {len(seconds)} commands of {seconds} s, "
          f"{len(wrong)} wrong counts, {len(leaked)} of {len(tokens)} tokens found")  # fmt: skip
    return int(bool(wrong or leaked))


if __name__ == "__main__":
    sys.exit(main())
