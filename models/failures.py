"""The words for failures."""

PREVENTIVE_REPLACEMENT = "PREVENTIVE_REPLACEMENT"
"""The cause of the end of a device that had not failed: it is known to have lived so long, and no more."""
