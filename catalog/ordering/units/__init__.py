"""What a unit asked for, for whoever leads it."""
