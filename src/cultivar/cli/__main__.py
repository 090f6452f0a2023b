"""``python -m cultivar.cli`` is ``cultivar``."""

from cultivar.cli.main import entry

entry()
