"""An upgrade under traffic, with real processes of an older version and of this one."""
