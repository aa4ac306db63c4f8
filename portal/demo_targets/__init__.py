"""Targets to try the portal on: real servers with invented content, on loopback, in development only."""
