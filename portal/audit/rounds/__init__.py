"""The ledger verified again and again in the background, so that a change is known before anybody asks."""
