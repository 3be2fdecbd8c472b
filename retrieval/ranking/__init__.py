"""What a ranker reads: the lists that candidates come from, and features of each candidate."""
