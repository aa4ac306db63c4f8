"""The auditor's account: from a day until a day, for a part of what there is, and for reading alone."""
