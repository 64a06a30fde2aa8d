"""What a rule does to recorded samples: records, the exit rule, evaluation, paths, bounds, costs."""
