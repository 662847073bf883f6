"""Files of the data sets that come with bioloom; see ATTRIBUTION.md beside them."""
