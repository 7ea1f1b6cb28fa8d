"""Metrics, comparisons of training runs and the report that shows them."""
