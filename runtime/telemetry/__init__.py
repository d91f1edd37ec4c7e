"""What a run tells programs and files: events."""
