"""One-time secrets: shown once, to the beneficiary alone."""
