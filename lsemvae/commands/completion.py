"""Print a script by which a shell completes the commands, their options and choices."""

from typing import Literal

from lsemvae.command_table import COMMANDS, LIGHTNING, load, members
from lsemvae.core.printable import say
from lsemvae.runtime.cli_arguments import options_of

# LightningCLI's own, without what only a chosen class has; its parser takes torch and seconds.
LIGHTNING_OPTIONS = (
    "--config", "--print_config", "--help", "--seed_everything", "--beta", "--allow_leakage",
    "--model", "--data", "--ckpt_path", "--trainer.max_epochs", "--trainer.max_steps",
    "--trainer.accelerator", "--trainer.devices", "--trainer.num_nodes", "--trainer.precision",
    "--trainer.strategy", "--trainer.logger", "--trainer.callbacks",
    "--trainer.default_root_dir", "--trainer.enable_progress_bar", "--trainer.fast_dev_run",
)  # fmt: skip

SCRIPT = """\
_lsemvae() {
    local here="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words="" name
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="@first@"
    else
        name="${COMP_WORDS[1]}"
        case "$name" in
@second@
        esac
        if [ -z "$words" ] && [ "${here#-}" = "$here" ]; then
            case "$name $before" in
@choices@
            esac
        fi
        if [ -z "$words" ] && [ "${here#-}" != "$here" ]; then
            case "$name" in
@options@
            esac
        fi
    fi
    COMPREPLY=($(compgen -W "$words" -- "$here"))
}
complete -o default -F _lsemvae lsemvae lightning
"""
FOR_ZSH = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"


def completion(shell: Literal["bash", "zsh"]) -> None:
    """Print a script that completes commands and options: `bash` or `zsh`.

    Args:
        shell: the one that is to read the script.
    """
    say((FOR_ZSH if shell == "zsh" else "") + completion_script(), end="")


def completion_script() -> str:
    """Return the script for bash, which zsh reads as well."""
    options = {name: command_options(name) for name in COMMANDS}
    first = dict.fromkeys(name.split(" ")[0] for name in COMMANDS)
    parts = {
        "first": " ".join([*first, "--help", "--version"]),
        "second": "\n".join(_second_word(word) for word in first if members(word)),
        "choices": "\n".join(
            f'                "{name} {before}") words="{" ".join(choices)}" ;;'
            for name, known in options.items()
            for before, choices in _choices_after(name, known).items()
            if choices
        ),
        "options": "\n".join(
            f'                "{name}") words="{" ".join(known)}" ;;'
            for name, known in options.items()
        ),
    }
    script = SCRIPT
    for mark, text in parts.items():
        script = script.replace(f"@{mark}@", text)
    return script


def command_options(name: str) -> dict[str, tuple[str, ...]]:
    """Return the options of a command and the values that each one chooses from."""
    if name in LIGHTNING:
        return dict.fromkeys(LIGHTNING_OPTIONS, ())
    return options_of(load(name))


def _choices_after(name: str, options: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the choices by the word before them: an option, or the command's own last word.

    What follows the command is its first argument, which may be given without its name.
    """
    arguments = [option for option in options if option not in ("--config", "--help")]
    first = options[arguments[0]] if arguments and name not in LIGHTNING else ()
    return {name.rsplit(" ", maxsplit=1)[-1]: first, **options}


def _second_word(first: str) -> str:
    names = " ".join(members(first))
    return (
        f'            {first}) if [ "$COMP_CWORD" -eq 2 ]; then words="{names}"; '
        f'else name="{first} ${{COMP_WORDS[2]}}"; fi ;;'
    )
