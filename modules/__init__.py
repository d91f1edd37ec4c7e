"""Stock agent modules, written as a user would write one."""
