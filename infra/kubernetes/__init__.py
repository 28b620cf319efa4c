"""What the services need of Kubernetes, made from what the code knows: `python -m infra.kubernetes > crm.json`."""
