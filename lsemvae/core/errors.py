"""Define the one error that a user is meant to read."""


class InputError(ValueError):
    """Report bad input in one line: what, got, expected, next step.

    Everything that a user can get wrong (a file, a column, a lead name, an option) raises this
    class; the command line prints its message without a traceback and exits with code 2. Any
    other exception is a defect of the program and keeps its traceback.
    """
