"""The development mailbox: takes every mail by SMTP, keeps it in a folder and shows it on a page of its own."""
