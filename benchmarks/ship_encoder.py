"""Make the encoder that ships out of a pre-training run: `python -m benchmarks.ship_encoder RUN`.

Writes half-precision weights, the hashes of the recordings that it saw, and `about.json`.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from lsemvae.core.files import file_sha256
from lsemvae.core.shipped_encoders import FOLDER
from lsemvae.models.checkpoint import NETWORK_KEY
from lsemvae.models.checkpoint_file import read_checkpoint
from lsemvae.models.shipped_file import write_shipped

CONFIG = "experiments/pretrain/ls_emvae_recommended.yaml"
DATA_KEY = "MimicEcg"
TRAINED_ON = [
    {
        "name": "PTB-XL 1.0.3, 1,442 recordings of folds 1 to 8",
        "licence": "CC BY 4.0",
        "source": "Wagner et al. 2020, doi:10.1038/s41597-020-0495-6",
    },
    {
        "name": "CinC challenge 2011, 553 recordings of set a",
        "licence": "PhysioNet open access, attribution",
        "source": "Silva et al. 2011, PhysioNet",
    },
    {
        "name": "LUDB 1.0.1, 200 recordings",
        "licence": "ODC-By 1.0",
        "source": "Kalyakulina et al. 2020, doi:10.1109/ACCESS.2020.3029211",
    },
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a version of the shipped encoder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path, help="folder of a pre-training run")
    parser.add_argument("--name", default="public-v2")
    parser.add_argument("--seed", type=int, default=0, help="that the run was started with")
    options = parser.parse_args(arguments)
    checkpoint = read_checkpoint(options.run / "checkpoints/last.ckpt")
    folder = FOLDER / options.name
    write_shipped(checkpoint, (NETWORK_KEY, DATA_KEY), folder / "encoder.safetensors")
    shutil.copyfile(options.run / "trained_on.npz", folder / "trained_on.npz")
    about = {
        "what": "LS-EMVAE on single heartbeats (BeatLsEmvae), 64 latent dimensions",
        "takes": "whole recordings, any of the twelve leads, 100 Hz, 10 s, band 0.5-40 Hz "
        "(`--signal.sampling_rate_hz 100`), mV or arbitrary units",
        "trained_on": TRAINED_ON,
        "seed": options.seed,
        "command": f"lsemvae fit --config {CONFIG} --seed_everything {options.seed}",
        "sha256": file_sha256(folder / "encoder.safetensors"),
    }
    (folder / "about.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n")
    print(f"wrote {folder}")


if __name__ == "__main__":
    main()
