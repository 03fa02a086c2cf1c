"""Run a command: `lsemvae`, `lightning` and `python -m lsemvae` are this `main`.

Commands are plain functions behind jsonargparse and start without torch where they need none; fit,
validate, test and predict are LightningCLI's.
"""

import sys
from argparse import ArgumentError
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version

from lsemvae.command_table import (
    COMMANDS,
    LONG,
    QUICK,
    help_text,
    lightning_target,
    load,
    load_target,
    members,
    summary,
)
from lsemvae.core.errors import InputError
from lsemvae.core.experiments import check_configs
from lsemvae.core.printable import say
from lsemvae.core.suggestion import suggestion
from lsemvae.runtime.cli_arguments import file_of, options_of, refuse_huge_numbers, spell_out
from lsemvae.runtime.exit_code import exit_code
from lsemvae.runtime.garbage import collect_rarely
from lsemvae.runtime.given_texts import checked, refuse_odd_words
from lsemvae.runtime.loose_words import refuse_long_dashes
from lsemvae.runtime.quiet import silence_matplotlib
from lsemvae.runtime.refused_option import as_typed, with_dashes
from lsemvae.runtime.threads import settle_threads


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code: 0, or 2 with one line on stderr for bad input.

    `check cohort` returns 1 where it has found something, `view` where a recording is rejected.
    """
    if argv is None:
        collect_rarely()
    arguments = list(sys.argv[1:] if argv is None else argv)
    return exit_code(partial(_run, arguments))


def _run(arguments: list[str]) -> None:
    arguments = _asked_by_name(arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        say(help_text(), end="")
    elif arguments[0] == "--version":
        say(f"lsemvae {version('lsemvae')}")
    elif members(arguments[0]) and (not arguments[1:] or arguments[1] in ("-h", "--help")):
        _list_members(arguments[0], asked=bool(arguments[1:]))
    else:
        name = _command_name(arguments)
        rest = arguments[len(name.split(" ")) :]
        _begin(name, rest)
        if target := lightning_target(name, rest):
            load_target(target)(rest)
        else:
            _call(name, rest)


def _asked_by_name(arguments: list[str]) -> list[str]:
    """Return `help cv` as `cv --help` and `version` as `--version`: other programs have them so."""
    if arguments[:1] == ["help"]:
        return [*arguments[1:], "--help"]
    return ["--version"] if arguments in (["version"], ["-V"]) else arguments


def _command_name(arguments: list[str]) -> str:
    """Return the command that the first one or two words name.

    Raises:
        InputError: there is none of that name.
    """
    given = " ".join(arguments[: 2 if members(arguments[0]) else 1])
    if given not in COMMANDS:
        if given.partition(" ")[2].startswith("-"):  # an option where the second word belongs
            _list_members(arguments[0], asked=False)
        first = {name.split(" ")[0] for name in COMMANDS} | {"--help", "--version"}
        known = COMMANDS if " " in given else first
        meant = suggestion(given, known)
        raise InputError(f"unknown command {given!r}{meant or '; see lsemvae --help'}")
    return given


def _list_members(first: str, *, asked: bool) -> None:
    """Say which commands begin with a word.

    Raises:
        InputError: nobody asked for help: the second word was forgotten.
    """
    if not asked:
        raise InputError(f"{first} needs one more word: {', '.join(members(first))}")
    for name in members(first):
        say(f"lsemvae {first} {name:10}  {summary(f'{first} {name}')}")


def _begin(name: str, arguments: list[str]) -> None:
    """Settle the threads; say what a long command waits for and what holds it back.

    Raises:
        InputError: a word is not UTF-8 or begins with a long dash, or `--config` names no file.
    """
    refuse_odd_words(arguments)
    refuse_long_dashes(arguments)
    check_configs(arguments)
    silence_matplotlib()
    threads = settle_threads()
    if name in LONG and threads is not None and threads.n_threads < threads.n_granted:
        say(f"note: {threads}", file=sys.stderr)
    if name not in QUICK and sys.stderr.isatty() and not {"-h", "--help"} & {*arguments}:
        say("loading libraries: some seconds", file=sys.stderr)


def _call(name: str, arguments: list[str]) -> None:
    """Parse the options of a command of ours and call its function.

    Raises:
        InputError: an option that does not exist, or a value that it does not take.
    """
    from jsonargparse import auto_cli

    from lsemvae.runtime.config_safety import check_arguments, parsing_error, secure_configurations

    secure_configurations()
    check_arguments(arguments)
    function = load(name)
    options = spell_out(function, arguments)
    refuse_huge_numbers(options)
    try:
        auto_cli(
            checked(function), args=options, prog=f"lsemvae {name}", as_positional=False,
            exit_on_error=False,
        )  # fmt: skip
    except ArgumentError as error:
        message = as_typed(str(error), options_of(function))
        raise parsing_error(f"{message}; see lsemvae {name} --help") from error
    except InputError as error:
        error.args = (with_dashes(str(error), options_of(function)),)
        raise
    except UnicodeDecodeError as error:
        if (file := file_of(error.object, options)) is None:
            raise
        raise InputError(f"{file} is not written in UTF-8; save it as UTF-8") from error
