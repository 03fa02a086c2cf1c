"""Parse hostile configurations made from a shipped one, and count what they reach.

A mutant names what runs code or fetches a file, hides a key, unfolds, nests, or has bytes changed.
It may be taken or refused in one line; it may not run a process, open a connection, write a file,
take long, or raise what is no refusal. Prints JSON: `python -m benchmarks.torture_config --help`.
"""

import argparse
import json
import platform
import random
import sys
import time
from argparse import ArgumentError
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from lightning import LightningDataModule, LightningModule, Trainer
from lightning.pytorch.cli import LightningArgumentParser

from lsemvae.core.errors import InputError
from lsemvae.runtime.config_safety import check_values, secure_configurations
from lsemvae.runtime.faults import REFUSALS, refused_value

BASE = Path(__file__).parents[1] / "experiments/demo/pretrain.yaml"
SECONDS = 20.0  # of one mutant, also on a busy machine
WATCHED = ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect",
           "socket.getaddrinfo", "os.remove", "os.rename", "shutil.rmtree")  # fmt: skip
NAMES = (
    "os.system", "builtins.eval", "subprocess.Popen", "torch.load", "torch.hub.load",
    "lightning.pytorch.plugins.io.AsyncCheckpointIO", "AsyncCheckpointIO", "torch.jit.load",
    "lightning.pytorch.strategies.FSDPStrategy", "lightning.pytorch.callbacks.LambdaCallback",
    "lsemvae.cli.main", "lsemvae.models.checkpoint_file.write_checkpoint", "data_modules.os",
    "lsemvae.callbacks.predictions.Path", "jsonargparse.set_parsing_settings", "a..b",
    "lightning.pytorch.cli.os.system", "wandb.init", "pickle.loads", "torch.optim",
    "\N{CYRILLIC SMALL LETTER O}s.system",
)  # fmt: skip
ADDRESSES = ("http://127.0.0.1:9/x.yaml", "s3://b/x", "file:///etc/passwd", "memory://x",
             "simplecache::http://127.0.0.1:9/x", "HTTPS://127.0.0.1:9")  # fmt: skip

Mutation = Callable[[str, random.Random], str]


def name_another(text: str, rng: random.Random) -> str:
    """Put a dangerous name in the place of a value or of a class."""
    return _with_value(text, rng, rng.choice(NAMES))


def name_an_address(text: str, rng: random.Random) -> str:
    """Put an address in the place of a value."""
    return _with_value(text, rng, rng.choice(ADDRESSES))


def call_something(text: str, rng: random.Random) -> str:
    """Put a class with arguments in the place of a value."""
    made = {"class_path": rng.choice(NAMES), "init_args": {"command": "touch hacked"}}
    return _with_value(text, rng, made)


def use_a_tag(text: str, rng: random.Random) -> str:
    """Ask YAML itself to build an object."""
    tag = rng.choice(("python/object/apply:os.system", "python/name:os.system", "python/module:os"))
    return f"{text}\nmore: !!{tag} [touch hacked]\n"


def repeat_a_line(text: str, rng: random.Random) -> str:
    """Let a line stand twice."""
    lines = text.splitlines()
    at = rng.randrange(len(lines))
    return "\n".join([*lines[: at + 1], *lines[at:]])


def unfold(text: str, rng: random.Random) -> str:
    """Add aliases of aliases."""
    width, depth = rng.randint(2, 12), rng.randint(2, 30)
    lines = [f"a0: &a0 [{', '.join('x' * width)}]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * width)}]" for i in range(1, depth)]
    return text + "\n" + "\n".join(lines)


def nest(text: str, rng: random.Random) -> str:
    """Nest deeply."""
    depth = rng.choice((10, 60, 3000))
    return f"{text}\ndeep: {'[' * depth}{']' * depth}\n"


def change_bytes(text: str, rng: random.Random) -> str:
    """Change some characters to any other."""
    letters = list(text)
    for _ in range(rng.randint(1, 12)):
        letters[rng.randrange(len(letters))] = chr(
            rng.choice((rng.randrange(128), 0x2028, 0x1F4A3))
        )
    return "".join(letters)


def cut(text: str, rng: random.Random) -> str:
    """End early."""
    return text[: rng.randrange(len(text))]


MUTATIONS: tuple[Mutation, ...] = (
    name_another, name_an_address, call_something, use_a_tag, repeat_a_line, unfold, nest,
    change_bytes, cut,
)  # fmt: skip


def _with_value(text: str, rng: random.Random, value: Any) -> str:
    """Replace one value, or the class path of one mapping, anywhere in a document."""
    document = yaml.safe_load(text)
    places: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        node = waiting.pop()
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, child in items:
            places.append((node, key))
            if isinstance(child, dict | list):
                waiting.append(child)
    node, key = rng.choice(places)
    node[key] = value
    return yaml.safe_dump(document)


class Watch:
    """Count what reaches beyond the process, by Python's audit events, while it is on."""

    def __init__(self) -> None:
        self.is_on, self.seen = False, Counter[str]()
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on:
            return
        writes = event == "open" and len(arguments) > 1 and "w" in str(arguments[1] or "")
        if writes or event.startswith(WATCHED):
            self.seen[event] += 1


def fit_parser() -> LightningArgumentParser:
    """Return the parser of `lsemvae fit`'s configuration."""
    secure_configurations()
    parser = LightningArgumentParser(exit_on_error=False)
    parser.add_lightning_class_args(Trainer, "trainer")
    parser.add_lightning_class_args(LightningModule, "model", subclass_mode=True)
    parser.add_lightning_class_args(LightningDataModule, "data", subclass_mode=True)
    parser.add_argument("--ckpt_path", type=str | None)
    return parser


def outcome(parser: LightningArgumentParser, text: str) -> str:
    """Parse a mutant and say whether it was taken or refused, or what it raised."""
    try:
        check_values(parser.parse_string(text))
    except (ArgumentError, InputError):
        return "refused"
    except REFUSALS as error:
        return "refused" if refused_value(error) is not None else f"raised {type(error).__name__}"
    return "taken"


def torture(n_mutants: int, seed: int = 0) -> dict[str, Any]:
    """Parse mutants and return what became of them.

    Args:
        n_mutants: how many.
        seed: of the mutations.
    """
    rng, parser, text = random.Random(seed), fit_parser(), BASE.read_text()
    tuple(platform.uname())  # some import asks for it, and Python asks `uname -p` once
    watch, found, slow = Watch(), Counter[str](), 0
    for number in range(n_mutants):
        mutant = MUTATIONS[number % len(MUTATIONS)](text, rng)
        began, watch.is_on = time.monotonic(), True
        result = outcome(parser, mutant)
        watch.is_on = False
        slow += time.monotonic() - began > SECONDS
        found[result] += 1
    return {
        "mutants": n_mutants,
        "outcomes": dict(found),
        "reached": dict(watch.seen),
        "slow": slow,
    }


def main() -> None:
    """Read the arguments and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n_mutants", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(json.dumps(torture(given.n_mutants, given.seed), indent=1))


if __name__ == "__main__":
    main()
