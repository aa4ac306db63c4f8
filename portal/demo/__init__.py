"""The demo organisation, and the story that `countersign demo` plays."""
