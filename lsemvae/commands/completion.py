"""Print a script by which a shell completes the commands, their options and choices."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

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

# Bash, and zsh by its bashcompinit. `help cv` is completed as `cv`, without options.
BASH = """\
_lsemvae() {
    local here="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words="" name
    local first=1 n
    if [ "$COMP_CWORD" -gt 1 ] && [ "${COMP_WORDS[1]}" = help ]; then first=2; fi
    n=$((COMP_CWORD - first))
    name="${COMP_WORDS[first]}"
    if [ "$n" -eq 0 ]; then
        words="@first@"
    else
        case "$name" in
@second@
        esac
        if [ -z "$words" ] && [ "$first" -eq 1 ] && [ "${here#-}" = "$here" ]; then
            case "$name $before" in
@choices@
            esac
        fi
        if [ -z "$words" ] && [ "$first" -eq 1 ] && [ "${here#-}" != "$here" ]; then
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
FISH = """\
function __lsemvae
    set -l typed (commandline -opc)[2..]
    set -l here (commandline -ct)
    set -l asked no
    if test "$typed[1]" = help
        set -e typed[1]
        set asked yes
    end
    if test (count $typed) -eq 0
        string split ' ' '@first@'
        return
    end
    set -l name $typed[1]
    switch $name
@second@
    end
    test $asked = yes; and return
    if string match -q -- '-*' $here
        switch $name
@options@
        end
    else
        switch "$name $typed[-1]"
@choices@
        end
    end
end
complete -c lsemvae -a '(__lsemvae)'
complete -c lightning -a '(__lsemvae)'
"""


class Shell(NamedTuple):
    """How a shell writes what is offered.

    Attributes:
        script: with the marks @first@, @second@, @choices@ and @options@.
        case: offers words: `{key}` is what was typed, `{words}` what is offered.
        second: the same for the second word of a command, which becomes part of its name.
    """

    script: str
    case: str
    second: str


SHELLS = {
    "bash": Shell(
        BASH,
        '                "{key}") words="{words}" ;;',
        '            {key}) if [ "$n" -eq 1 ]; then words="{words}"; '
        'else name="{key} ${{COMP_WORDS[first+1]}}"; fi ;;',
    ),
    "fish": Shell(
        FISH,
        "            case '{key}'\n                string split ' ' -- '{words}'",
        "        case {key}\n            if test (count $typed) -eq 1\n"
        "                string split ' ' '{words}'\n                return\n            end\n"
        '            set name "{key} $typed[2]"',
    ),
}


def completion(shell: Literal["bash", "zsh", "fish"]) -> None:
    """Print a script that completes commands and options: `bash`, `zsh` or `fish`.

    Args:
        shell: the one that is to read the script.
    """
    before = FOR_ZSH if shell == "zsh" else ""
    say(before + completion_script("fish" if shell == "fish" else "bash"), end="")


def completion_script(shell: Literal["bash", "fish"]) -> str:
    """Return the script for a shell; zsh reads that of bash as well."""
    options = {name: command_options(name) for name in COMMANDS}
    first = dict.fromkeys(name.split(" ")[0] for name in COMMANDS)
    choices = {
        f"{name} {before}": values
        for name, known in options.items()
        for before, values in _choices_after(name, known).items()
        if values
    }
    script, case, second = SHELLS[shell]
    parts = {
        "second": _cases(second, {word: members(word) for word in first if members(word)}),
        "choices": _cases(case, choices),
        "options": _cases(case, options),
        "first": " ".join([*first, "help", "--help", "--version"]),
    }
    for mark, text in parts.items():
        script = script.replace(f"@{mark}@", text)
    return script


def _cases(case: str, offered: Mapping[str, Iterable[str]]) -> str:
    return "\n".join(case.format(key=key, words=" ".join(words)) for key, words in offered.items())


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
