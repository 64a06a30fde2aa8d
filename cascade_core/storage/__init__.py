"""Files in and out: runs, choices, imports, joins, pictures of samples, scripts."""
