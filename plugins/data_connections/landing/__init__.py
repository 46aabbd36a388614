"""Where originals are kept: immutable, under their hash, in a folder or an object store."""

from data_connections.landing import journal
from data_connections.landing.area import Landing, LandingFull, Original

__all__ = ["Landing", "LandingFull", "Original", "journal"]
