"""What every service tells alike, each in its own name: who did what, and jobs that have ended."""
