"""Training: heads on a frozen trunk, and small networks."""
