"""Draws stored summaries. Imports theory and the store, never a simulator, never JAX."""
