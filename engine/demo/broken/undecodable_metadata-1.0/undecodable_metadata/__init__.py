"""Its METADATA is not UTF-8."""
