"""Firewall rules: a policy kept in git, rendered for nftables, Cisco ASA and Palo Alto."""
