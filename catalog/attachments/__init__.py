"""Attachments: files that people add to what they ask for, or as proof of what they did."""
