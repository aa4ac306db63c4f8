"""`countersign up`: everything that the portal needs, embedded, started in order and gone when its parent is gone."""
