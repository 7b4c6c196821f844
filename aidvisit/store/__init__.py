"""The only floor that speaks SQL: tables projected from the log, how facts change them, reads for pages."""
