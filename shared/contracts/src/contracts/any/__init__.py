"""What every service tells alike, each in its own name: jobs that have ended."""
