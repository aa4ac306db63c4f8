"""The manual connector: people of a named group carry a checklist out by hand and record what they did."""
