"""Running a cascade for real: the runner, pictures, profiles, bundles."""
