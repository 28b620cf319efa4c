"""What the services run on: servers and their provisioning, the `crm` command, the synthetic region."""
