"""The map of an embedding: images whose features are alike lie together."""
