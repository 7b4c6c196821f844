"""One function = one thing that a person meant = one transaction."""
