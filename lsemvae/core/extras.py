"""Say how what is optional is installed: one command for messages and documents."""


def install_extra(extra: str) -> str:
    """Return the command that installs an extra of pyproject.toml.

    Args:
        extra: its name, such as "serve".

    Note:
        Without the constraints pip may replace torch by another version and another build.
    """
    return f"pip install -c constraints.txt -e '.[{extra}]' in the checkout"
