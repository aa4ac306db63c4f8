"""The web room: home, errors, health, headers, and the frame around every page."""
