"""Ordering many at once from a file: read, checked row by row, and sent all or nothing."""
