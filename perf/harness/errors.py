"""Why a row has no number."""


class Failed(Exception):
    """A wrong, empty or lost result: the row shows this reason instead of a figure."""
