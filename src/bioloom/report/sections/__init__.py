"""Sections of the page: one file per part of a chapter, each registering itself."""
