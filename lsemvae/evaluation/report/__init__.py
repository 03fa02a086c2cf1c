"""Write the report of finished runs: sections of facts, tables and figures, from files only."""
