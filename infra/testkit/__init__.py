"""The whole region on a laptop, for the tests of whoever connects a system to it: `crm-testkit`."""
