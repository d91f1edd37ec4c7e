"""From the bytes of a file to code, in a process of its own."""
