"""The replicated log: ops, their chain, and how they travel. Knows nothing about aid (docs/protocol.md)."""
