"""Pictures as a network takes them: data sets, and preprocessing."""
