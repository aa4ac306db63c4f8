"""The ledger's signer: who alone holds its signing key, and signs no head that is inconsistent with its own last one.

`countersign signer` is a process of its own at SIGNER_SOCKET; without that setting the same rules hold inside the
process that asks. Its folder holds the last head, the list of its keys and, where there is no token, the keys.
"""
