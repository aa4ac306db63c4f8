"""What the ledger keeps of its own holders. Each hand-over is none of it: it would make the next one due."""

#: A holder said that the ledger is another one than it was given, or took a checkpoint again after that.
CONTRADICTED = "checkpoint:contradicted"
ACCEPTED = "checkpoint:accepted-again"
