"""Views: how people see a run in a terminal or a log."""
