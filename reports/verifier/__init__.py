"""The verifier that every bundle carries: one file that needs nothing of Countersign."""
