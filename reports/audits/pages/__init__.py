"""What the report's pages show beside its sections, worked out from audit.json alone."""
