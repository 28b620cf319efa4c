"""Servers and services as child processes of one supervisor: what `make run` and the tests stand on."""
