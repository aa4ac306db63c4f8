"""The change calendar: when approved changes may be carried out, what is planned, and who is told."""
