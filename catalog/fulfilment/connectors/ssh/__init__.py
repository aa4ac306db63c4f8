"""SSH certificates for hours: who may sign in as whom, from where, until when (OpenSSH PROTOCOL.certkeys)."""

from catalog.fulfilment.connectors.ssh.authority import SshAuthority
from catalog.fulfilment.connectors.ssh.connector import SshConnector

__all__ = ["SshAuthority", "SshConnector"]
