"""Countersign's portal."""

import gc

# A start makes more than a million objects and throws few away, and a page ten thousand. To look through the young ones
# after every 700 took a fifth of each start.
gc.set_threshold(50_000, 10, 10)
