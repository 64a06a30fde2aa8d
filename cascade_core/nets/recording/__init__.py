"""Recording what each stage says: in one process or many, resumable."""
