"""Errors that are the user's to mend: one sentence that names the file, key or row."""


class UserError(Exception):
    """Bad input. The message says what was expected and what came; the command prints it alone."""


class ConfigError(UserError):
    """A configuration file or override that cannot be used."""


class DataError(UserError):
    """A data set, label row, image or prediction file that cannot be used."""
