"""What ansible-playbook loads: code for that program, run by its own Python."""
