"""Reads for pages, search, history and reconciliation. Every function takes the connection of a transaction."""
