"""One decision on many requests: each on the seal of the card that was opened, each with its own outcome."""
