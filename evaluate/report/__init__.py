"""The page that a comparison ends in: one HTML file with everything inside."""
