"""What the papers say: bounds and closed forms in NumPy/SciPy float64. No randomness, no JAX."""
