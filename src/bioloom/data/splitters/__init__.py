"""The ways to divide records: one file per idea."""
