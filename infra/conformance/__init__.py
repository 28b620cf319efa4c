"""Whether a country's system keeps the rules: offline what it would send, live what it does (`crm conform`)."""
