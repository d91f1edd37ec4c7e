"""From one set of schemas to another: what goes on, what begins, what comes back, and what only the author knows."""
