"""The version, and nothing else: the build reads this file, and importing it costs nothing."""

__version__ = "0.1.0.dev0"
