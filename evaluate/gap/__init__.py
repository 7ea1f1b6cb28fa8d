"""How far two data sets are apart, by their features and by their labels."""
