"""Why a row has no number."""


class Failed(Exception):
    """A wrong, empty or lost result: the row shows this reason instead of a figure."""


class Silent(Failed):
    """A program that gave no answer at all: there is no use in trying its other loads."""


class PortTaken(Failed):
    """A port that was free was taken when the program came to it: no fault of the program."""
