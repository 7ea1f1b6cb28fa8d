"""The page of a re-identification: queries, what was found for each, and what was wrong with it."""
