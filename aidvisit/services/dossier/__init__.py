"""A trip's dossier (一批一档): one file that anybody can check without a server (ADR 24)."""
