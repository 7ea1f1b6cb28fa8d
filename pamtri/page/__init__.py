"""HTML pages in one file: charts, pictures and the look that all of them share."""
