"""PostgreSQL as this system needs it: roles, schemas, rights, migrations."""
